#!/usr/bin/env python3
"""Whether the answer to a prompt is text, an image, or both."""

import documents
import intents
import topics
from grammar import Rows, digest, draw, casual, lines, seeded

words = {
    "thing": lines("""
        a fox in a raincoat
        a lighthouse in a storm
        two robots who drink tea
        an old sailor
        a castle above the clouds
        a bowl of ramen
        a red bicycle against a wall
        a cat that reads a newspaper
        a small village in the snow
        a dragon asleep on books
        a woman with a violin
        a forest of giant mushrooms
        an astronaut on a beach
        a vintage car in the desert
        a market in Marrakesh
        a girl with a paper boat
        a glass of lemonade
        a wolf made of stars
        a steampunk airship
        a kitchen full of plants
        a penguin with a suitcase
        an empty train station
        a bouquet of wild flowers
        a knight who fixes a bike
        a turtle carrying a city
        a mountain lake at dawn
        a chess game between a bear and a child
        a futuristic library
        a stall with oranges
        my dream garden
        an owl in a business suit
        a jazz band in a cellar
        a tiny house on wheels
        a whale over New York
        three cupcakes
        a samurai in the rain
        a hedgehog with a balloon
        a rooftop cinema
    """),
    "style": lines("""
        in watercolour
        as pixel art
        in the style of an old postcard
        photorealistic
        as a pencil sketch
        in oil
        as a flat vector
        as a comic
        in soft pastel colours
        as a woodcut
        with neon light
        as a 3d render
        in black and white
        cinematic
        as a children's book illustration
        in ukiyo-e style
        low poly
        as line art
        isometric
        as a stained glass window
        in impressionist brush strokes
        like a film poster
        minimalist
        surreal
    """),
    "shot": lines("""
        golden hour
        35mm
        high detail
        soft light
        8k
        wide angle
        bokeh
        volumetric fog
        close-up
        top view
        dramatic shadows
        white background
        muted colours
        ultra sharp
        long exposure
        symmetrical
    """),
    "kind": "image picture photo drawing painting illustration".split(),
    "use": lines("""
        a logo for (a bakery|my bike shop|a yoga studio|a fintech)
        an icon for (a weather app|a settings page|a music player)
        a poster for (our school play|a jazz night|a flea market)
        a banner for (my blog|the spring sale|a podcast)
        a book cover for (a crime novel|poems about the sea)
        a birthday card with (dinosaurs|balloons and a cake)
        a t-shirt print of (a skeleton on a bike|a sleepy sloth)
        an avatar of (a knight|a smiling avocado)
        a wallpaper with (mountains|geometric shapes)
        a coloring page of (a unicorn|trucks)
        a tattoo design of (a swallow|an anchor)
        a sticker of (a grumpy cat|a cactus)
        a floor plan sketch of (a tiny flat|a cafe)
        a mockup of (a perfume bottle|a coffee bag)
    """),
    "topic": [t for d in ("biology", "physics", "chemistry", "history", "engineering", "health") for t in topics.EN[d]],
    "any": [t for d in topics.DOMAINS for t in topics.EN[d]],
    "zh_thing": "穿雨衣的狐狸 暴风雨中的灯塔 喝茶的机器人 云上的城堡 一碗拉面 靠墙的红色自行车 看报纸的猫 雪中的小村庄 拉小提琴的女人 海滩上的宇航员 沙漠里的老爷车 拿纸船的小女孩 月球上的熊猫 江南水乡 长满蘑菇的森林 雨中的武士 赛博朋克城市 荷花池 骑单车的骑士 日出时的雪山".split(),
    "zh_style": "水彩风格 像素风 油画质感 写实照片风 国画风格 漫画风格 黑白线稿 电影感 极简风格 浮世绘风格 儿童绘本风".split(),
    "zh_topic": [t for d in ("biology", "physics", "chemistry", "history", "engineering", "health") for t in topics.ZH[d]],
    "zh_any": [t for d in topics.DOMAINS for t in topics.ZH[d]],
}
rows = Rows("modality", words, most=60, spread=1.6)
rows.block("image", "en", """
(draw|paint|sketch|illustrate|render|visualize) {thing}(.| {style}.| {style}|, please|)
(generate|create|make|produce|give me|design) (a|an|one) {kind} of {thing}(.| {style}.| {style}, {shot}|, {shot}, {shot}|)
(can|could) you (draw|paint|make a {kind} of|generate a {kind} of|show me a {kind} of) {thing}(?| {style}?| please?)
(I want|I need|I'd like) (a|an) {kind} (of|that shows|with) {thing}(.| {style}.|, {shot}.)
(show me|let me see) (what {thing} would look like|{thing} {style}|how you imagine {thing})(.|)
(design|create|make|draw) {use}(.| {style}.|, two colours, flat.|)
(I need|we need|can you make) {use}(.|?| {style}| for tomorrow)
{thing}, {style}, {shot}(, {shot}|)
{thing}, {shot}, {shot}, {style}(, --ar 16:9|, no text|)
{kind}: {thing}(, {style}|)
(portrait|close-up|landscape|still life|aerial view) of {thing}(, {shot}| {style}|)
(turn|transform) (this photo|my selfie|the sketch) (into|to) (a cartoon|an oil painting|anime style|a pencil drawing)(.|)
(change|replace|remove|add) (the background|the sky|a hat|the person on the left) (in|from|to) (this|the|my) (photo|picture|image)(.|)
(another|one more|same) {kind}(,| but) (with a blue sky|at night|from above|without people|{style})(.|)
(make it|the picture should be) (brighter|more colourful|less busy|square|{style})(.|, and add {thing}.)
midjourney(:| ->) {thing} {style} {shot}
(my daughter wants|for my wall:|screen saver:) a {kind} of {thing}(.|)
""")
rows.block("image", "zh", """
(画|画一张|画一幅|绘制|帮我画){zh_thing}(。|，{zh_style}|，{zh_style}。)
(生成|制作|做|来)一张{zh_thing}的(图片|照片|插画|海报|壁纸)(。|，{zh_style}|)
(我想要|给我)一幅{zh_thing}的(画|图)(，{zh_style}|。)
{zh_thing}，{zh_style}，(高清|柔光|8K|广角|细节丰富)
(设计|做)一个(面包店|健身房|咖啡馆|公众号)的(标志|头像|海报|封面)(，{zh_style}|)
把(这张照片|我的自拍)(变成|改成)(卡通|油画|素描)风格
(换掉|去掉)(照片|图片)里的(背景|路人)
""")
rows.block("both", "en", """
(explain|describe) {topic} (and|,) (draw|include|add|show) a (diagram|picture|sketch|labelled drawing)(.| of it.|, please)
(explain {topic}|write about {topic}) with (pictures|illustrations|a diagram|an infographic)(.|)
write (a story|a fairy tale|a bedtime story|a poem) about {thing} (and illustrate it|with a picture for each page|and paint the main scene|plus a cover image)(.|)
(give me|write) (a recipe|step by step instructions) for (pancakes|origami|a birdhouse|sushi) (with a photo of each step|and show a picture of the result|with drawings)(.|)
(make|create|write) a (blog post|brochure|flyer|newsletter|children's book|presentation|one-pager) (about|on) {any} (with text and images|including a header image|and design the cover|with matching pictures)(.|)
(write|draft) (a product description|an instagram post|an ad|a tweet) (for|about) (a candle|my bakery|a backpack|{any}) and (generate|create|make) (a fitting|the) (picture|image|photo|banner)(.|)
(design|draw) {use} and (explain your choice|write the text for it|suggest a slogan|tell me the idea behind it)(.|)
(draw|paint|generate a picture of) {thing} and (write a short story about it|describe it in three sentences|give it a title and a caption|explain the composition)(.|)
(compare|show the difference between) {topic} and {topic} (in words and as a chart|with a table and a drawing|with an infographic and text)(.|)
(I need|prepare) (a worksheet|a lesson|a poster talk|a quiz) (on|about) {topic} (with|including) (text and pictures|a drawing for each question|an illustration)(.|)
(answer in text and|reply with an explanation and) (show a picture|generate an image|add a sketch)(:|.) (how does {topic} work|what does {thing} look like)?
(tell me about|what is) {topic}(?|,) (and|also) (show me an image|generate a picture of it|draw it)(.|)
(plan|describe) (a garden|a living room|an outfit|a costume) (for spring|in scandinavian style|for halloween) and (make a picture of it|visualise it|render it)(.|)
(comic|graphic novel|storyboard) (with dialogue|with text) about {thing}(.|)
""")
rows.block("both", "zh", """
(解释|介绍|讲讲){zh_topic}，(并|同时)(画一张示意图|配一张图|附上图解|生成一张插图)(。|)
写一(个故事|首诗|篇童话)关于{zh_thing}，(并配上插图|再画一张封面|每页配一张图)(。|)
(写|做)一篇关于{zh_any}的(公众号文章|宣传册|小红书笔记)，(图文并茂|配图|带封面图)(。|)
画{zh_thing}，(并写一段文字说明|再写一个小故事|并取个标题)(。|)
(给我|写)(红烧肉|折纸|小木屋)的(做法|步骤)，(每一步配图|附上成品图)(。|)
用(图文结合|文字加图片)的方式(说明|对比){zh_topic}
""")
rows.block("text", "en", """
(describe|caption|what is in|who painted|analyse|summarise) (this|the|the attached) (image|picture|photo|painting|chart|screenshot)(.|?| in words| for a blind person)
(how does|explain|what is) (image compression|a digital camera|jpeg|a diffusion model|photosynthesis|colour theory|perspective in drawing|an mri image) (work|)(?|.|)
(how do i|how can i|what's the best way to) (draw a horse|paint a wall|take better photos|crop an image in gimp|sketch faces|design a logo|print pictures)?
(write|show me|give me) (code|a python script|a function|html) (that|to|which) (draws a circle|plots a sine curve|resizes images|loads a picture|renders a table|generates a qr code)(.|)
(draw|come to|reach) (a conclusion|conclusions) (from|about) (these numbers|the experiment|the text)(.|)
(draw up|sketch out|draft|design|outline) (a contract|a plan for the week|an agenda|a database schema|an api|a study|an experiment|a lesson)(.|)
(paint|give me) a (picture|portrait) of (the economy in words|life in the middle ages in 200 words|our customers from this data)(.|)
(write|compose|create|generate) (a poem|a story|a password|an essay|a list|a slogan|a regex|a caption|an alt text|test data|a summary) (about|for|on) ({any}|{thing}|a photo of my dog)(.|)
(describe|write about) {thing} (in a short text|in three sentences|as a poem|for my novel)(.|)
(imagine|picture|visualise) (you are a pirate|a world without money|that time runs backwards)(.|, and| and) (write|tell me) (a story|what happens|how people live)(.|)
(write|improve|suggest) (a prompt|prompts|ten prompts) for (an image generator|midjourney|stable diffusion|a picture of {thing})(.|)
(what|which) (camera|printer|drawing tablet|photo app|museum|painter|art style) (should i buy|is best|do you recommend|fits a beginner)?
(explain|what is|how does|tell me about|summarise) {any}(?|.|)
(translate|proofread|shorten|rewrite) (this|the following) (text|email|caption)(.|: the picture hangs in the hall|)
(who was|tell me about) (van gogh|frida kahlo|hokusai|vermeer|ansel adams)(?|.|)
(the image|my photo|the logo|this picture) (doesn't load|is blurry in word|has the wrong size on my site|won't upload), (why|what can i do|how do i fix that)?
(what does|what is) (the plot|the frame|the scene|the character|the image of the moon) (of the film|in this poem|in chapter two)( about| mean|)?
(hi|hello|thanks|good morning|tell me a joke|who are you|how are you)(!|?|)
(calculate|convert|solve) (15 percent of 80|10 miles to km|3x + 4 = 10|the area of a circle)(.|)
(alt text|seo title|file name|licence text) for (a photo of {thing}|my header image)(?|)
(is|are) (nfts|ai pictures|stock photos|film cameras) (worth it|art|legal to sell|dead)?
""")
rows.block("text", "zh", """
(描述|分析|解释)一下这张(图片|照片|图表|画)(。|的内容)
(怎么|如何)(画马|拍照更好看|设计标志|裁剪图片|学素描)？
(写|给我)一段(画圆的代码|生成二维码的脚本|处理图片的Python程序)
(写|创作)一(首诗|篇作文|个故事)，关于({zh_any}|{zh_thing})
(介绍|解释|总结)一下{zh_any}(。|)
(推荐|比较)(相机|打印机|画板|美术馆)
给图像生成器写(一个|十个)提示词，主题是{zh_thing}
(梵高|齐白石|莫奈)是谁？
(图片上传失败|照片很模糊|网页图片不显示)怎么办？
(从这些数据得出什么结论|拟定一份合同|设计一个数据库|列个提纲)
用文字描绘一下{zh_thing}
(你好|谢谢|讲个笑话|今天天气怎么样)
""")
for lang, blocks in {
    "es": [("image", "(dibuja|genera una imagen de|pinta) (un gato con sombrero|un faro en la tormenta|una ciudad futurista)(.|, en acuarela|)"), ("text", "(escribe|resume|traduce|explica) (un poema sobre el mar|este texto|la foto en palabras|la fotosíntesis)(.|)"), ("both", "(explica la fotosíntesis|escribe un cuento) (y dibuja un esquema|con ilustraciones|e incluye una imagen)(.|)")],
    "de": [("image", "(zeichne|male|erstelle ein Bild von) (einem Fuchs|einem Leuchtturm im Sturm|einer Stadt der Zukunft)(.|, als Aquarell|)"), ("text", "(schreib|fasse zusammen|übersetze|beschreibe) (ein Gedicht über das Meer|diesen Text|das Bild in Worten|die Photosynthese)(.|)"), ("both", "(erkläre die Photosynthese|schreib ein Märchen) (und zeichne eine Skizze|mit Bildern|und füge ein Bild hinzu)(.|)")],
    "fr": [("image", "(dessine|peins|génère une image d') (un renard|un phare dans la tempête|une ville du futur)(.|, à l'aquarelle|)"), ("text", "(écris|résume|traduis|décris) (un poème sur la mer|ce texte|cette photo avec des mots|la photosynthèse)(.|)"), ("both", "(explique la photosynthèse|écris un conte) (et dessine un schéma|avec des images|et ajoute une illustration)(.|)")],
    "ja": [("image", "(猫|灯台|未来の都市)の(絵を描いて|画像を生成して|イラストを作って)(ください|)(。|)"), ("text", "(海についての詩を書いて|この文章を要約して|写真を言葉で説明して|光合成を説明して)(ください|)(。|)"), ("both", "(光合成を説明して|童話を書いて)、(図も描いて|挿絵も付けて|画像も生成して)(ください|)(。|)")],
}.items():
    for label, block in blocks:
        rows.block(label, lang, block)

# Pasted text and code want text.
for n in range(200):
    rng = seeded("modality text", str(n))
    ask = rng.choice(["summarise this", "what does this do?", "rewrite it politely", "list the dates", "describe the picture in this page", "translate the caption", "这是什么意思？", "explain the chart", "find the bug"])
    body = documents.code(rng) if n % 3 == 0 else documents.any_document(rng)
    rows.row("text", "en", "text" + digest(ask)[:8], text=casual(ask, "en", rng) + "\n\n" + body)

# Requests of every intent want text.
for row in seeded("modality intents").sample(intents.rows.rows, 900):
    if rows.row("text", row["lang"], row["gid"], text=row["text"]):
        rows.rows[-1]["split"] = row["split"]

if __name__ == "__main__":
    rows.main()
