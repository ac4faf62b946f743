"""Names of people, places and organisations, and numbers that pass their checks. All are put together at random; nobody is meant."""

FIRST = {
    "english": "James Mary Robert Patricia Michael Linda William Barbara David Susan Thomas Karen Daniel Nancy Matthew Lisa Anthony Betty Mark Sandra Steven Ashley Paul Kimberly Andrew Emily Joshua Donna Kevin Michelle Brian Carol Edward Amanda Jason Rebecca Ryan Laura Jacob Helen Nicholas Amy Eric Anna Jonathan Ruth Scott Kathleen Brandon Olivia Samuel Christine Gregory Janet Frank Catherine Raymond Maria Patrick Heather Jack Diane Dennis Joyce Tyler Julie Aaron Evelyn Henry Joan Adam Lauren Douglas Grace Nathan Megan Peter Alice Zachary Hannah Kyle Doris Walter Gloria Ethan Teresa Noah Sara Keisha Darnell Tamika Malik Sophie Oliver Poppy Alfie Isla Callum Ewan Fiona Gareth Rhys Saoirse Niamh Declan Conor",
    "spanish": "Alejandro Carmen Javier Lucía Miguel Sofía Diego Valentina Pablo Camila Andrés Isabel Fernando Elena Ricardo Gabriela Jorge Marta Luis Paula Santiago Ximena Ramón Rocío Ignacio Pilar Hugo Inés Esteban Yolanda",
    "portuguese": "João Ana Pedro Beatriz Tiago Inês Rui Mariana Gustavo Juliana Rafael Larissa Bruno Fernanda Caio Letícia Nuno Catarina Vinícius Renata",
    "german": "Lukas Anna Jürgen Sabine Stefan Ursula Maximilian Katharina Wolfgang Heike Tobias Birgit Florian Petra Matthias Franziska Uwe Monika Jens Lena Dieter Greta Moritz Annika Friedrich Elke",
    "french": "Pierre Camille Jean Manon Luc Chloé Antoine Élodie Mathieu Margaux Étienne Océane Guillaume Solène Thierry Brigitte Rémi Amélie Benoît Juliette Yann Nathalie",
    "italian": "Marco Giulia Luca Chiara Matteo Francesca Giovanni Alessia Davide Federica Lorenzo Elisa Stefano Martina Salvatore Ilaria Enrico Paola",
    "polish": "Piotr Agnieszka Krzysztof Małgorzata Tomasz Katarzyna Paweł Magdalena Wojciech Zofia Łukasz Aleksandra Grzegorz Joanna Michał Beata",
    "nordic": "Lars Ingrid Erik Astrid Mikkel Freja Olav Sigrid Jonas Linnea Anders Maja Søren Karin Mikko Aino Jukka Helmi Björn Elsa Eero Tuuli",
    "turkish": "Mehmet Ayşe Mustafa Fatma Ahmet Zeynep Emre Elif Hüseyin Merve Burak Selin Kerem Defne",
    "arabic": "Mohammed Fatima Ahmed Aisha Omar Layla Youssef Noura Khalid Mariam Hassan Salma Tariq Huda Karim Yasmin Ibrahim Rania Bilal Amina",
    "indian": "Rajesh Priya Amit Ananya Vikram Deepika Sanjay Kavita Arjun Meera Rohan Sneha Suresh Lakshmi Karthik Pooja Anil Divya Harpreet Gurpreet Imran Ayesha Nikhil Swati",
    "chinese": "Wei Fang Jing Lei Min Xiaoming Jun Yan Hui Ling Hao Mei Qiang Xin Yu Jiayi Zihan Haoran Yuxuan Shan Bo Ting Guang Lan",
    "japanese": "Haruto Yui Takashi Sakura Kenji Aoi Hiroshi Yuki Daisuke Naomi Ren Hana Satoshi Emi Makoto Ayumi",
    "korean": "Minjun Seoyeon Jiho Jiwoo Hyun Eunji Sungmin Yuna Dongwook Soojin Taehyung Minji",
    "vietnamese": "Minh Lan Tuan Huong Duc Linh Quang Thao Hung Mai Khanh Ngoc",
    "african": "Kwame Ama Chinedu Ngozi Tunde Folake Kofi Akosua Thabo Nomsa Sipho Zanele Abebe Selam Juma Wanjiru Otieno Achieng Mamadou Fatou Ousmane Aminata",
    "slavic": "Ivan Olga Dmitri Natalia Sergei Tatiana Alexei Irina Andriy Oksana Bohdan Kateryna Nikola Milica Marko Jelena Jan Tereza Petr Lucie Viktor Svetlana",
    "greek": "Giorgos Eleni Dimitris Katerina Nikos Sofia Kostas Ioanna Vasilis Despina",
    "hungarian": "László Eszter Gábor Zsófia Attila Katalin Zoltán Réka Bence Ágnes Imre Tünde",
    "hebrew": "Avi Noa Yossi Tamar Eitan Shira Moshe Yael Amir Maya",
    "persian": "Reza Shirin Hossein Nasrin Kaveh Leila Babak Parisa Farhad Mina",
}
LAST = {
    "english": "Smith Johnson Brown Davis Miller Wilson Moore Taylor Anderson Thomas Jackson White Harris Martin Thompson Clark Lewis Walker Hall Young King Wright Hill Scott Green Baker Adams Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Morris Rogers Reed Cook Morgan Bell Murphy Bailey Cooper Richardson Cox Howard Ward Peterson Gray James Watson Brooks Kelly Sanders Price Bennett Wood Barnes Ross Henderson Coleman Jenkins Perry Powell Long Patterson Hughes Flores Washington Butler Simmons Foster Bryant Alexander Russell Griffin Hayes O'Brien O'Connor MacDonald McCarthy Fitzgerald Whitfield Ashworth Pemberton Holloway Langley Blackwood Thornton Sinclair Prescott",
    "spanish": "García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Torres Rivera Gómez Díaz Cruz Morales Ortiz Gutiérrez Chávez Ramos Vargas Castillo Jiménez Moreno Navarro Molina Iglesias Cabrera Quintana",
    "portuguese": "Silva Santos Oliveira Souza Pereira Costa Rodrigues Almeida Nascimento Lima Araújo Fernandes Carvalho Gomes Ribeiro Teixeira Moreira Cardoso",
    "german": "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Krüger Hartmann Lange Vogel Köhler Steinbach Brandt",
    "french": "Martin Bernard Dubois Thomas Robert Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garcia Fournier Girard Bonnet Dupont Lambert Rousseau Chevalier Gauthier Perrin",
    "italian": "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti De Luca Mancini Costa Giordano Rizzo".replace("De Luca", "Deluca"),
    "polish": "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jankowski Mazur",
    "nordic": "Hansen Johansson Andersson Nielsen Olsen Larsen Berg Lindqvist Virtanen Korhonen Nieminen Mäkinen Haugen Dahl Søndergaard Nyström Eklund Jensen",
    "turkish": "Yılmaz Kaya Demir Şahin Çelik Yıldız Öztürk Aydın Arslan Doğan Koç",
    "arabic": "Al-Farsi Haddad Khalil Mansour Nasser Rahman Saleh Abbas Hamdan Aziz El-Sayed Bakri Shaheen Darwish Qasim",
    "indian": "Sharma Patel Singh Kumar Gupta Reddy Iyer Nair Mehta Joshi Desai Banerjee Chatterjee Rao Kapoor Malhotra Khan Menon Pillai Bhatt",
    "chinese": "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo Lin Luo Gao Zheng",
    "japanese": "Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Sasaki Matsumoto Inoue",
    "korean": "Kim Lee Park Choi Jung Kang Cho Yoon Jang Lim Han Shin",
    "vietnamese": "Nguyen Tran Le Pham Hoang Phan Vu Dang Bui Do",
    "african": "Mensah Okafor Adeyemi Boateng Nkosi Dlamini Mwangi Odhiambo Tesfaye Diallo Traore Ndiaye Eze Balogun Kamau Moyo",
    "slavic": "Ivanov Petrova Smirnov Kuznetsova Popov Shevchenko Kovalenko Bondarenko Jovanović Petrović Novák Svobodová Dvořák Horvat Kolesnikova Melnyk",
    "greek": "Papadopoulos Georgiou Nikolaidis Vasileiou Karagiannis Oikonomou Pappas Makris",
    "hungarian": "Nagy Kovács Tóth Szabó Horváth Varga Kiss Molnár Farkas Balogh",
    "hebrew": "Cohen Levi Mizrahi Peretz Biton Friedman Katz Shapiro",
    "persian": "Hosseini Ahmadi Karimi Rezaei Moradi Jafari Tehrani Ghorbani",
}
ZH_LAST = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
ZH_FIRST = "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 桂英 秀兰 建国 志强 晓明 雨桐 子涵 浩然 欣怡 梓萱 宇轩 诗涵 俊杰 思远 嘉怡 文博 雅琴 海燕 国栋 玉梅 天宇 佳琪 晨曦 一诺 家豪 美玲 红梅 振华 春生 若曦".split()

CITIES = """London|Paris|Berlin|Madrid|Rome|Vienna|Warsaw|Prague|Budapest|Lisbon|Dublin|Oslo|Stockholm|Copenhagen|Helsinki|Athens|Istanbul|Moscow|Kyiv|Amsterdam|Brussels|Zurich|Geneva|Munich|Hamburg|Cologne|Frankfurt|Leipzig|Lyon|Marseille|Toulouse|Bordeaux|Barcelona|Valencia|Seville|Porto|Milan|Naples|Turin|Florence|Venice|Krakow|Gdansk|Brno|Graz|Salzburg|Bergen|Malmö|Tampere|Tallinn|Riga|Vilnius|Bucharest|Sofia|Belgrade|Zagreb|Ljubljana|
New York|Los Angeles|Chicago|Houston|Phoenix|Philadelphia|San Antonio|San Diego|Dallas|Austin|San Jose|Columbus|Charlotte|Seattle|Denver|Boston|Nashville|Detroit|Portland|Memphis|Atlanta|Miami|Tampa|Cleveland|Omaha|Tulsa|Boise|Springfield|Albany|Toledo|Reno|Fresno|Spokane|Des Moines|Salt Lake City|New Orleans|Baton Rouge|Santa Fe|Toronto|Montreal|Vancouver|Calgary|Ottawa|Halifax|Mexico City|Guadalajara|Bogotá|Lima|Santiago|Buenos Aires|São Paulo|Rio de Janeiro|Curitiba|Quito|Caracas|Havana|
Beijing|Shanghai|Shenzhen|Guangzhou|Chengdu|Hong Kong|Taipei|Tokyo|Osaka|Kyoto|Sapporo|Seoul|Busan|Bangkok|Hanoi|Manila|Jakarta|Singapore|Kuala Lumpur|Mumbai|Delhi|Bangalore|Chennai|Kolkata|Pune|Karachi|Lahore|Dhaka|Kathmandu|Colombo|Tehran|Baghdad|Riyadh|Dubai|Doha|Beirut|Amman|Cairo|Alexandria|Casablanca|Tunis|Lagos|Abuja|Accra|Dakar|Nairobi|Kampala|Addis Ababa|Johannesburg|Cape Town|Durban|Sydney|Melbourne|Brisbane|Perth|Auckland|Wellington|
Leeds|Bristol|Sheffield|Glasgow|Cardiff|Belfast|Norwich|Exeter|York|Swindon|Plymouth|Galway|Cork|Ghent|Utrecht|Eindhoven|Aarhus|Uppsala|Kenosha|Eugene|Duluth|Peoria|Wichita|Knoxville|Tacoma|Madison|Lincoln|Akron|Chattanooga|Amarillo""".replace("\n", "").split("|")
COUNTRIES = "France|Germany|Spain|Italy|Portugal|Poland|Austria|Switzerland|Belgium|the Netherlands|Denmark|Sweden|Norway|Finland|Ireland|Greece|Turkey|Russia|Ukraine|Romania|Hungary|Croatia|Serbia|Bulgaria|Estonia|Latvia|Iceland|Canada|Mexico|Brazil|Argentina|Chile|Peru|Colombia|Ecuador|Cuba|China|Japan|South Korea|India|Pakistan|Bangladesh|Nepal|Thailand|Vietnam|Indonesia|Malaysia|Singapore|the Philippines|Australia|New Zealand|Egypt|Morocco|Tunisia|Nigeria|Ghana|Senegal|Kenya|Ethiopia|Tanzania|Uganda|South Africa|Israel|Jordan|Lebanon|Iran|Iraq|Saudi Arabia|Qatar|Kazakhstan|Mongolia|the United States|the UK|USA|England|Scotland|Wales".split("|")
STATES = "Alabama AL|Alaska AK|Arizona AZ|Arkansas AR|California CA|Colorado CO|Connecticut CT|Delaware DE|Florida FL|Georgia GA|Hawaii HI|Idaho ID|Illinois IL|Indiana IN|Iowa IA|Kansas KS|Kentucky KY|Louisiana LA|Maine ME|Maryland MD|Massachusetts MA|Michigan MI|Minnesota MN|Mississippi MS|Missouri MO|Montana MT|Nebraska NE|Nevada NV|New Hampshire NH|New Jersey NJ|New Mexico NM|New York NY|North Carolina NC|Ohio OH|Oklahoma OK|Oregon OR|Pennsylvania PA|Tennessee TN|Texas TX|Utah UT|Vermont VT|Virginia VA|Washington WA|Wisconsin WI|Wyoming WY".split("|")
ZH_CITIES = "北京 上海 广州 深圳 杭州 南京 成都 重庆 武汉 西安 苏州 天津 长沙 郑州 青岛 大连 厦门 宁波 合肥 福州 济南 昆明 哈尔滨 沈阳 石家庄 南昌 贵阳 兰州 海口 无锡 香港 台北 东京 纽约 伦敦 巴黎 新加坡".split()
ZH_REGIONS = "中国 日本 韩国 美国 英国 法国 德国 泰国 越南 广东省 浙江省 江苏省 四川省 湖南省 山东省 云南省 海南 新疆 西藏 内蒙古 台湾 加拿大 澳大利亚 意大利 俄罗斯".split()
NATIONS = "American British French German Spanish Italian Portuguese Polish Austrian Swiss Belgian Dutch Danish Swedish Norwegian Finnish Irish Greek Turkish Russian Ukrainian Romanian Hungarian Croatian Serbian Canadian Mexican Brazilian Argentine Chilean Peruvian Colombian Cuban Chinese Japanese Korean Indian Pakistani Bangladeshi Nepali Thai Vietnamese Indonesian Malaysian Filipino Australian Egyptian Moroccan Nigerian Ghanaian Kenyan Ethiopian Israeli Jordanian Lebanese Iranian Iraqi Saudi Scottish Welsh Chechen Kurdish".split()
FAITHS = "Catholic Protestant Muslim Jewish Hindu Buddhist Sikh Mormon Orthodox Lutheran Methodist Quaker".split()
PARTIES = "Republican Democrat Conservative Labour Green Liberal Socialist Communist".split()
ZH_NRP = "中国人 日本人 韩国人 美国人 法国人 德国人 回族 藏族 维吾尔族 蒙古族 壮族 佛教徒 穆斯林 基督徒 天主教徒".split()
PREFIXES = "Mr.|Mrs.|Ms.|Dr.|Prof.|Miss|Sir|Mr|Mrs|Dr|Ms|Professor|Rev.|Captain|Judge|Senator".split("|")
JOBS = "accountant|software engineer|nurse|project manager|sales manager|electrician|teacher|pharmacist|data analyst|chief financial officer|CEO|HR manager|paralegal|dental assistant|truck driver|warehouse supervisor|marketing director|civil engineer|social worker|receptionist|senior consultant|product owner|lab technician|head of operations|systems administrator|vice president of sales|librarian|physiotherapist|technical writer|insurance broker|mechanic|chef|research assistant|team lead|tax advisor".split("|")
ZH_TITLES = "先生 女士 医生 老师 教授 经理 主任 律师 总监 博士 工程师 护士长".split()
STREETS = "Oak Maple Cedar Pine Elm Washington Lake Hill Park Main Church High Station Victoria Mill River Sunset Highland Franklin Jefferson Lincoln Madison Birch Walnut Chestnut Spruce Willow Meadow Orchard Garden Spring Forest Ridge Valley Prospect Harbor Bay Canal Bridge Market Queen King Prince Albert George Union Liberty Windsor Stanley Grove Summit Laurel Magnolia Juniper Sycamore Poplar Hawthorn Clover".split()
STREET_KINDS = "Street|Avenue|Road|Lane|Drive|Boulevard|Court|Place|St|Ave|Rd|Ln|Dr.|Blvd|St.|Ave.|Way|Terrace|Crescent|Close".split("|")
DE_STREETS = "Hauptstraße Bahnhofstraße Gartenweg Lindenallee Schillerstraße Goethestraße Kirchgasse Am Markt Mühlenweg Rosenstraße Bergstr. Schulstr. Ringstraße Friedrichstraße Birkenweg".replace("Am Markt", "Marktplatz").split()
FR_STREETS = "rue de la République|avenue Victor Hugo|rue du Moulin|boulevard Voltaire|rue Pasteur|place de l'Église|chemin des Vignes|rue des Lilas|quai de la Gare|impasse du Four".split("|")
ES_STREETS = "Calle Mayor|Avenida de la Constitución|Calle de Alcalá|Paseo del Prado|Calle San Martín|Plaza de España|Calle del Sol|Avenida Libertad|Carrera 15|Calle Real".split("|")
IT_STREETS = "Via Roma|Via Garibaldi|Corso Italia|Via Dante|Piazza Mazzini|Viale Europa|Via Verdi|Via Manzoni".split("|")
ZH_ROADS = "中山路 人民路 解放路 建设路 南京西路 长江路 和平街 文化路 新华路 学院路 科技大道 滨江路 幸福路 朝阳路 天府大道 环城东路".split()
ZH_DISTRICTS = "浦东新区 朝阳区 海淀区 天河区 南山区 西湖区 武侯区 江北区 雁塔区 鼓楼区 岳麓区 历下区 思明区 江宁区".split()
ORG_WORDS = "Blue North Bright Silver Summit Atlas Vertex Nova Pioneer Harbor Cedar Granite Falcon Orion Delta Apex Lumen Quantum Evergreen Horizon Keystone Redwood Sterling Vanguard Beacon Cobalt Meridian Zephyr Ironwood Larkspur Tidewater Copper Juniper Kestrel Halcyon".split()
ORG_KINDS = "Logistics|Solutions|Bank|Insurance|Pharma|Foods|Consulting|Analytics|Airlines|Energy|Motors|Media|Health|Capital|Systems|Industries|Partners|Realty|Textiles|Robotics|Telecom|Labs|Holdings|Publishing".split("|")
ORG_ENDS = ["", "", "", " Inc", " Inc.", " Ltd", " LLC", " GmbH", " S.A.", " Corp", " Corporation", " Group", " & Co", " AG", " Pty Ltd", " BV"]
ZH_ORGS = "华盛 鼎新 蓝海 天成 瑞丰 恒泰 博远 星辰 金桥 宏达 东方 联创 卓越 万通 明德".split()
ZH_ORG_KINDS = "科技有限公司|贸易有限公司|银行|医院|中学|物流公司|律师事务所|保险公司|建筑集团|网络科技公司|食品有限公司|大学".split("|")
MAIL_HOSTS = "gmail.com|yahoo.com|outlook.com|hotmail.com|icloud.com|proton.me|web.de|gmx.net|orange.fr|libero.it|163.com|qq.com|mail.ru|example.com|example.org|aol.com|fastmail.com|live.co.uk".split("|")
TLDS = "com com com org net io co.uk de fr it es nl pl se ch at eu com.au co.jp cn com.br ca app dev shop info biz edu gov".split()

CARDS = [("4", 16), ("4", 16), ("51", 16), ("53", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16), ("65", 16), ("3528", 16), ("36", 14), ("62", 16), ("4", 13)]
IBANS = {"DE": "n" * 18, "FR": "n" * 20 + "cn" + "n" * 0 + "n", "GB": "aaaa" + "n" * 14, "ES": "n" * 20, "IT": "a" + "n" * 22, "NL": "aaaa" + "n" * 10, "BE": "n" * 12, "AT": "n" * 16, "CH": "n" * 17, "PL": "n" * 24, "PT": "n" * 21, "SE": "n" * 20, "DK": "n" * 14, "NO": "n" * 11, "FI": "n" * 14, "IE": "aaaa" + "n" * 14, "CZ": "n" * 20, "GR": "n" * 23, "RO": "aaaa" + "n" * 16, "HU": "n" * 24, "TR": "n" * 22, "AE": "n" * 19, "SA": "n" * 20, "LU": "n" * 16, "HR": "n" * 17}
IBANS["FR"] = "n" * 23
PHONES = [
    "(###) 2##-####", "###-2##-####", "###.2##.####", "+1 ### 2## ####", "1-###-2##-####", "+1-###-2##-####", "(###)2##-####", "###2######", "+1 (###) 2##-####", "###-2##-#### ext. ###",
    "+44 20 7### ####", "020 7### ####", "07### ######", "+44 7### ######", "0161 ### ####", "+49 30 ########", "030/#######", "0171 #######", "+49 15# ########", "+33 6 ## ## ## ##", "01 ## ## ## ##", "06.##.##.##.##",
    "+34 6## ### ###", "91 ### ## ##", "+39 3## ### ####", "06 #### ####", "+351 9## ### ###", "+31 6 ########", "020-### ####", "+32 4## ## ## ##", "+41 79 ### ## ##", "044 ### ## ##", "+43 664 #######", "+45 ## ## ## ##", "+46 70 ### ## ##", "+47 ### ## ###", "+358 40 ### ####",
    "+48 ### ### ###", "+420 ### ### ###", "+36 20 ### ####", "+30 69# ### ####", "+90 5## ### ## ##", "+7 9## ###-##-##", "+380 ## ### ## ##", "+91 9#### #####", "+91-98########", "098########", "+86 1#########", "13#########", "+86 138 #### ####", "+852 #### ####", "+81 90-####-####", "03-####-####", "+82 10-####-####", "+65 #### ####", "+61 4## ### ###", "(02) 9### ####", "+64 21 ### ####", "+55 11 9####-####", "(21) 9####-####", "+52 55 #### ####", "+54 9 11 ####-####", "+27 82 ### ####", "+234 80# ### ####", "+254 7## ######", "+971 50 ### ####", "+972 5#-###-####", "+966 5# ### ####", "+20 10 #### ####",
]


def digits(rng, form):
    return "".join(str(rng.randint(0, 9)) if c == "#" else c for c in form)


def luhn(rng):
    head, n = rng.choice(CARDS)
    body = head + "".join(str(rng.randint(0, 9)) for _ in range(n - len(head) - 1))
    total = 0
    for i, c in enumerate(reversed(body)):
        d = int(c) * (2 if i % 2 == 0 else 1)
        total += d - 9 if d > 9 else d
    number = body + str(-total % 10)
    style = rng.randrange(5)
    if style < 2:
        return number
    gap = "-" if style == 2 else " "
    if n == 15:
        return gap.join((number[:4], number[4:10], number[10:]))
    return gap.join(number[i : i + 4] for i in range(0, n, 4))


def not_luhn(rng):
    """Sixteen digits that are no card number."""
    number = luhn(rng)
    plain = "".join(c for c in number if c.isdigit())
    return plain[:-1] + str((int(plain[-1]) + rng.randint(1, 9)) % 10)


def iban(rng):
    country = rng.choice(sorted(IBANS))
    body = "".join(rng.choice("ABCDEFGHKLMNPRSTUW") if c == "a" else str(rng.randint(0, 9)) for c in IBANS[country])
    value = int("".join(str(int(c, 36)) for c in body + country + "00"))
    text = f"{country}{98 - value % 97:02d}{body}"
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4)) if rng.random() < 0.5 else text


def ssn(rng):
    area = rng.choice([rng.randint(1, 665), rng.randint(667, 899)])
    gap = rng.choice(["-", "-", "-", " ", ""])
    return f"{area:03d}{gap}{rng.randint(1, 99):02d}{gap}{rng.randint(1, 9999):04d}"


def licence(rng):
    """US driving licences differ by state."""
    form = rng.choice(["A#######", "########", "A############", "#######", "A###-####-####", "#########", "AA######A", "A##-##-####", "A########", "AA####", "############", "A##############"])
    return "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ") if c == "A" else str(rng.randint(0, 9)) if c == "#" else c for c in form)


def ip(rng):
    kind = rng.randrange(6)
    if kind < 4:
        return ".".join(str(rng.randint(1, 254)) for _ in range(4))
    if kind == 4:
        return rng.choice(["10.{}.{}.{}", "192.168.{}.{}", "172.16.{}.{}"]).format(*(rng.randint(0, 254) for _ in range(3)))
    parts = [f"{rng.randint(0, 65535):x}" for _ in range(8)]
    return ":".join(parts) if rng.random() < 0.5 else "2001:db8:" + parts[0] + "::" + parts[1]


MONTHS = "January February March April May June July August September October November December".split()


def date(rng, birth=False):
    y, m, d = (rng.randint(1938, 2010) if birth else rng.randint(2012, 2027)), rng.randint(1, 12), rng.randint(1, 28)
    name = MONTHS[m - 1]
    kind = rng.randrange(12)
    forms = [f"{y}-{m:02d}-{d:02d}", f"{m}/{d}/{y}", f"{m:02d}/{d:02d}/{y}", f"{d:02d}.{m:02d}.{y}", f"{d}.{m}.{y}", f"{name} {d}, {y}", f"{d} {name} {y}", f"{name[:3]} {d}, {y}", f"{d} {name[:3]} {y}", f"{name} {d}{'th' if 3 < d < 21 or d > 23 else ('st', 'nd', 'rd')[d % 10 - 1] if d % 10 in (1, 2, 3) else 'th'}", f"{d:02d}-{m:02d}-{y}", f"{name} {d}"]
    return forms[kind]


def clock(rng):
    h, m = rng.randint(0, 23), rng.choice([0, 0, 15, 30, 45, rng.randint(0, 59)])
    return rng.choice([f"{h:02d}:{m:02d}", f"{(h - 1) % 12 + 1}:{m:02d} {'am' if h < 12 else 'pm'}", f"{(h - 1) % 12 + 1} {'am' if h < 12 else 'pm'}", f"{(h - 1) % 12 + 1}{'AM' if h < 12 else 'PM'}"])


def stamp(rng):
    base = f"{rng.randint(2015, 2027)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    time = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    return rng.choice([f"{base} {time}", f"{base}T{time}Z", f"{base} {time[:5]}", f"{base}T{time}"])
