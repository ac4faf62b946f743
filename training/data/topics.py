"""Noun phrases of fourteen domains in English and Chinese. They fit behind "explain ..." and "a question about ..."."""

TERMS = {}

TERMS["biology"] = """
photosynthesis=光合作用; mitosis=有丝分裂; meiosis=减数分裂; DNA replication=DNA复制; natural selection=自然选择; the cell membrane=细胞膜; mitochondria=线粒体; gene expression=基因表达; enzyme kinetics=酶动力学; the nitrogen cycle=氮循环;
food webs=食物网; genetic drift=遗传漂变; the Krebs cycle=三羧酸循环; ribosomes=核糖体; CRISPR gene editing=CRISPR基因编辑; plant hormones=植物激素; pollination=授粉; bacterial conjugation=细菌接合; viruses=病毒的结构; stem cells=干细胞;
Mendelian inheritance=孟德尔遗传; epigenetics=表观遗传学; symbiosis=共生关系; the taxonomy of fungi=真菌分类; coral bleaching=珊瑚白化; homeostasis=内稳态; neurons and synapses=神经元和突触; animal migration=动物迁徙; protein folding=蛋白质折叠; osmosis=渗透作用;
cellular respiration=细胞呼吸; chloroplasts=叶绿体; the lac operon=乳糖操纵子; speciation=物种形成; biodiversity=生物多样性; invasive species=入侵物种; insect metamorphosis=昆虫变态; bird navigation=鸟类导航; bioluminescence=生物发光; apoptosis=细胞凋亡;
antibodies=抗体; blood groups and alleles=血型与等位基因; the polymerase chain reaction=聚合酶链式反应; phylogenetic trees=系统发育树; keystone species=关键物种; transcription factors=转录因子; lichens=地衣; the xylem and phloem=木质部和韧皮部; microbiomes=微生物组; sexual selection=性选择;
population ecology=种群生态学; carnivorous plants=食肉植物; hibernation=冬眠; the immune response of plants=植物的免疫反应; RNA splicing=RNA剪接; chromosome mutations=染色体变异; bacteriophages=噬菌体; circadian clocks in animals=动物的生物钟; gel electrophoresis=凝胶电泳; camouflage in octopuses=章鱼的伪装; sex-linked traits=伴性遗传; the fossil record of whales=鲸类的化石记录; seed germination=种子萌发; cell signalling=细胞信号传导
"""
TERMS["business"] = """
a business plan=商业计划书; customer churn=客户流失; brand positioning=品牌定位; supply chain management=供应链管理; a SWOT analysis=SWOT分析; market segmentation=市场细分; cash flow forecasting=现金流预测; the balance sheet=资产负债表; pricing strategy=定价策略; a franchise model=特许经营模式;
employee onboarding=员工入职; key performance indicators=关键绩效指标; inventory turnover=库存周转率; a sales funnel=销售漏斗; working capital=营运资金; due diligence in mergers=并购尽职调查; venture capital=风险投资; a pitch deck=融资路演材料; corporate governance=公司治理; performance reviews=绩效考核;
lean management=精益管理; outsourcing=外包; customer lifetime value=客户终身价值; email marketing campaigns=邮件营销; accounts receivable=应收账款; depreciation of assets=资产折旧; break-even analysis=盈亏平衡分析; stakeholder management=利益相关者管理; change management=变革管理; a balanced scorecard=平衡计分卡;
retail merchandising=零售陈列; influencer marketing=网红营销; vendor negotiation=供应商谈判; B2B sales=企业对企业销售; cost accounting=成本会计; internal audits=内部审计; a marketing budget=营销预算; quarterly planning=季度规划; succession planning=接班人计划; company culture=企业文化;
procurement=采购管理; a loyalty programme=会员忠诚计划; subscription models=订阅制模式; e-commerce conversion rates=电商转化率; gross margin=毛利率; operating leverage=经营杠杆; dividend policy=股利政策; crisis communication=危机公关; product launch planning=新品上市计划; competitor research=竞争对手调研;
team motivation=团队激励; a remote work policy=远程办公制度; meeting facilitation=会议引导; quality management=质量管理; freight logistics=货运物流; trade fairs=展会营销; small business loans=小微企业贷款; warehouse layout=仓库布局; return on investment=投资回报率; the income statement=利润表; a joint venture=合资企业; customer service scripts=客服话术; OKRs=目标与关键成果; brand loyalty=品牌忠诚度
"""
TERMS["chemistry"] = """
covalent bonds=共价键; ionic bonding=离子键; the periodic table=元素周期表; acid-base titration=酸碱滴定; Le Chatelier's principle=勒夏特列原理; redox reactions=氧化还原反应; electrolysis=电解; reaction rates=反应速率; catalysts=催化剂; molar mass=摩尔质量;
stoichiometry=化学计量; buffer solutions=缓冲溶液; organic functional groups=有机官能团; SN1 and SN2 reactions=亲核取代反应; polymerization=聚合反应; chromatography=色谱法; mass spectrometry=质谱法; NMR spectra=核磁共振谱; Hess's law=盖斯定律; enthalpy of formation=生成焓;
the ideal gas law=理想气体定律; electronegativity=电负性; oxidation states=氧化态; VSEPR theory=价层电子对互斥理论; hydrogen bonding=氢键; isotopes of carbon=碳的同位素; solubility products=溶度积; colligative properties=依数性; aromaticity of benzene=苯的芳香性; isomers=同分异构体;
chirality=手性; esterification=酯化反应; saponification=皂化反应; galvanic cells=原电池; corrosion of iron=铁的腐蚀; the pH of a weak acid=弱酸的pH; crystal lattices=晶格; transition metal complexes=过渡金属配合物; orbital hybridization=轨道杂化; Gibbs free energy=吉布斯自由能;
activation energy=活化能; fractional distillation=分馏; noble gases=稀有气体; alkenes and alkynes=烯烃和炔烃; the Haber process=哈伯法合成氨; combustion of methane=甲烷燃烧; water hardness=水的硬度; radioactive decay chains=放射性衰变链; colloids=胶体; surfactants=表面活性剂;
green chemistry=绿色化学; photochemistry of ozone=臭氧光化学; electron configurations=电子排布; limiting reagents=限量试剂; precipitation reactions=沉淀反应; infrared spectroscopy=红外光谱; the Arrhenius equation=阿伦尼乌斯方程; phase diagrams of water=水的相图; Grignard reagents=格氏试剂; amino acid structure=氨基酸结构; vapour pressure=蒸气压; molarity and molality=物质的量浓度; flame tests=焰色反应; zeolites=沸石
"""
TERMS["computer science"] = """
recursion=递归; hash tables=哈希表; binary search trees=二叉搜索树; dynamic programming=动态规划; big O notation=大O表示法; Python decorators=Python装饰器; SQL joins=SQL连接; database indexes=数据库索引; deadlocks=死锁; garbage collection=垃圾回收;
REST APIs=REST接口; Docker containers=Docker容器; Kubernetes deployments=Kubernetes部署; git rebase=git变基; unit tests in pytest=单元测试; regular expressions=正则表达式; neural networks=神经网络; transformers and attention=注意力机制; overfitting=过拟合; TCP congestion control=TCP拥塞控制;
DNS lookups=DNS解析; public key encryption=公钥加密; OAuth login=OAuth登录; React hooks=React钩子; JavaScript promises=JavaScript异步; CSS flexbox=CSS弹性布局; Rust ownership=Rust所有权; C pointers=C语言指针; Java generics=Java泛型; Go channels=Go通道;
operating system scheduling=操作系统调度; virtual memory=虚拟内存; compilers and parsing=编译器与语法分析; Turing machines=图灵机; NP-completeness=NP完全问题; message queues=消息队列; load balancing=负载均衡; cache invalidation=缓存失效; microservices=微服务; continuous integration=持续集成;
graph search algorithms=图搜索算法; linked lists=链表; sorting algorithms=排序算法; object-oriented design=面向对象设计; functional programming=函数式编程; memory leaks=内存泄漏; race conditions=竞态条件; websockets=WebSocket; a Terraform module=Terraform模块; shell scripts=shell脚本;
pandas dataframes=pandas数据框; gradient descent=梯度下降; vector databases=向量数据库; retrieval augmented generation=检索增强生成; SQL injection prevention=SQL注入防护; a binary heap=二叉堆; finite automata=有限自动机; MapReduce=分布式计算; type inference=类型推断; an Android app crash=安卓应用崩溃; Django migrations=Django迁移; TypeScript types=TypeScript类型; GPU kernels=GPU内核; HTTP caching headers=HTTP缓存
"""
TERMS["economics"] = """
inflation=通货膨胀; supply and demand=供求关系; price elasticity=价格弹性; opportunity cost=机会成本; gross domestic product=国内生产总值; monetary policy=货币政策; fiscal policy=财政政策; comparative advantage=比较优势; monopolies=垄断; oligopoly pricing=寡头定价;
the Phillips curve=菲利普斯曲线; interest rates=利率; unemployment=失业率; exchange rates=汇率; trade deficits=贸易逆差; quantitative easing=量化宽松; externalities=外部性; public goods=公共物品; game theory in markets=市场博弈论; the Nash equilibrium=纳什均衡;
minimum wage effects=最低工资的影响; income inequality=收入不平等; the Gini coefficient=基尼系数; consumer surplus=消费者剩余; deadweight loss=无谓损失; marginal utility=边际效用; indifference curves=无差异曲线; the multiplier effect=乘数效应; tariffs=关税; the liquidity trap=流动性陷阱;
stagflation=滞胀; central banks=中央银行; bond yields=债券收益率; the business cycle=经济周期; economic growth models=经济增长模型; human capital=人力资本; moral hazard=道德风险; adverse selection=逆向选择; the tragedy of the commons=公地悲剧; carbon pricing=碳定价;
purchasing power parity=购买力平价; IS-LM analysis=IS-LM模型; aggregate demand=总需求; the labour market=劳动力市场; housing bubbles=房地产泡沫; sovereign debt=主权债务; the gold standard=金本位; Keynesian economics=凯恩斯主义经济学; behavioral economics=行为经济学; auction theory=拍卖理论;
price controls=价格管制; universal basic income=全民基本收入; microfinance=小额信贷; economies of scale=规模经济; the money supply=货币供应量; deflation=通货紧缩; import quotas=进口配额; the velocity of money=货币流通速度; labour productivity=劳动生产率; price discrimination=价格歧视; the informal economy=非正规经济; subsidies for farmers=农业补贴; rational expectations=理性预期; balance of payments=国际收支
"""
TERMS["engineering"] = """
beam deflection=梁的挠度; bridge design=桥梁设计; heat exchangers=换热器; PID controllers=PID控制器; gear ratios=齿轮传动比; fatigue of metals=金属疲劳; reinforced concrete=钢筋混凝土; hydraulic pumps=液压泵; fluid flow in pipes=管道流体; turbine blades=涡轮叶片;
electric motors=电动机; transformers in power grids=电网变压器; op-amp circuits=运算放大器电路; PCB layout=电路板布局; signal filters=信号滤波器; AC circuit impedance=交流电路阻抗; welding techniques=焊接工艺; CNC machining=数控加工; finite element analysis=有限元分析; stress and strain=应力与应变;
thermodynamic cycles of engines=发动机热力循环; heat pumps=热泵; soil mechanics=土力学; retaining walls=挡土墙; bearing selection=轴承选型; vibration damping=减振; robot kinematics=机器人运动学; stepper motors=步进电机; battery management systems=电池管理系统; solar inverters=光伏逆变器;
wind turbine design=风力发电机设计; water treatment plants=污水处理厂; traffic engineering=交通工程; tolerance stacking=公差叠加; 3D printing materials=3D打印材料; composite materials=复合材料; aircraft wings=机翼设计; rocket nozzles=火箭喷管; control system stability=控制系统稳定性; Bode plots=伯德图;
MOSFET switching=MOS管开关; power factor correction=功率因数校正; HVAC sizing=暖通设计; steel connections=钢结构连接; earthquake resistant buildings=抗震建筑; truss analysis=桁架分析; pressure vessels=压力容器; pump cavitation=泵的汽蚀; the Reynolds number=雷诺数; modulation schemes=调制方式;
antenna design=天线设计; FPGA timing=FPGA时序; sensor calibration=传感器标定; a buck converter=降压变换器; lubrication=润滑; corrosion protection of steel=钢材防腐; chemical reactors=化学反应器; distillation columns=精馏塔; railway tracks=铁路轨道; surveying methods=测量方法; tunnel boring=隧道掘进; hydroelectric dams=水电站大坝; quality control charts=质量控制图; embedded microcontrollers=嵌入式单片机
"""
TERMS["health"] = """
high blood pressure=高血压; type 2 diabetes=二型糖尿病; migraine headaches=偏头痛; back pain=腰痛; vitamin D deficiency=维生素D缺乏; sleep apnea=睡眠呼吸暂停; asthma=哮喘; seasonal allergies=季节性过敏; the flu vaccine=流感疫苗; antibiotic side effects=抗生素副作用;
knee injuries=膝盖损伤; pregnancy nutrition=孕期营养; iron deficiency=缺铁性贫血; cholesterol levels=胆固醇; heart attacks=心脏病发作; stroke symptoms=中风症状; insulin therapy=胰岛素治疗; skin rashes=皮疹; eczema=湿疹; acid reflux=胃酸反流;
food poisoning=食物中毒; dehydration=脱水; sprained ankles=脚踝扭伤; physical therapy=物理治疗; blood tests=血液检查; thyroid disorders=甲状腺疾病; kidney stones=肾结石; urinary infections=尿路感染; menopause=更年期; contraception methods=避孕方法;
childhood fever=儿童发烧; measles=麻疹; wound care=伤口护理; first aid for burns=烧伤急救; hearing loss=听力下降; cataracts=白内障; dental cavities=蛀牙; gum disease=牙龈疾病; arthritis=关节炎; osteoporosis=骨质疏松;
cancer screening=癌症筛查; chemotherapy=化疗; palliative care=安宁疗护; intermittent fasting=间歇性断食; weight loss=减肥; strength training for seniors=老年力量训练; lower back exercises=腰部锻炼; painkillers and alcohol=止痛药与酒精; drug interactions=药物相互作用; anaesthesia=麻醉;
hepatitis B=乙型肝炎; lactose intolerance=乳糖不耐受; irritable bowel syndrome=肠易激综合征; concussion=脑震荡; epilepsy=癫痫; multiple sclerosis=多发性硬化; blood clots=血栓; the human digestive system=人体消化系统; breastfeeding=母乳喂养; smoking cessation=戒烟; tinnitus=耳鸣; anaphylaxis=过敏性休克; COVID tests=新冠检测; a healthy diet=健康饮食
"""
TERMS["history"] = """
the French Revolution=法国大革命; the Roman Empire=罗马帝国; the Cold War=冷战; the First World War=第一次世界大战; the Second World War=第二次世界大战; the Ming dynasty=明朝; the Silk Road=丝绸之路; the Black Death=黑死病; the Renaissance=文艺复兴; the Industrial Revolution=工业革命;
the American Civil War=美国南北战争; the Russian Revolution=俄国革命; the Ottoman Empire=奥斯曼帝国; the Mongol conquests=蒙古征服; ancient Egypt=古埃及; the Greek city states=古希腊城邦; the Crusades=十字军东征; the Vikings=维京人; the Meiji Restoration=明治维新; the Opium Wars=鸦片战争;
the fall of Constantinople=君士坦丁堡陷落; the Treaty of Versailles=凡尔赛条约; the Great Depression=大萧条; the Berlin Wall=柏林墙; the Cuban missile crisis=古巴导弹危机; decolonisation in Africa=非洲去殖民化; the Inca empire=印加帝国; the Aztecs=阿兹特克文明; the Tang dynasty=唐朝; the Qing dynasty=清朝;
the Napoleonic wars=拿破仑战争; the Congress of Vienna=维也纳会议; the unification of Germany=德国统一; the unification of Italy=意大利统一; the Magna Carta=大宪章; the Hundred Years' War=百年战争; the Reformation=宗教改革; the Thirty Years' War=三十年战争; the Atlantic slave trade=大西洋奴隶贸易; women's suffrage=妇女选举权运动;
the civil rights movement=民权运动; apartheid in South Africa=南非种族隔离; the Vietnam War=越南战争; the Korean War=朝鲜战争; the partition of India=印巴分治; the Spanish Civil War=西班牙内战; the Byzantine Empire=拜占庭帝国; Mesopotamia=美索不达米亚; the Bronze Age collapse=青铜时代崩溃; feudal Japan=日本封建时代;
medieval guilds=中世纪行会; the printing press=印刷术的发明; the voyages of Zheng He=郑和下西洋; the age of exploration=大航海时代; Alexander the Great=亚历山大大帝; Julius Caesar=恺撒; Cleopatra=克娄巴特拉; the Warring States period=战国时期; the Taiping rebellion=太平天国; the Enlightenment in Europe=欧洲启蒙运动; the Space Race=太空竞赛; the Marshall Plan=马歇尔计划; the Suez crisis=苏伊士运河危机; the Long March=长征
"""
TERMS["law"] = """
breach of contract=违约; a non-disclosure agreement=保密协议; tenant rights=租客权利; unfair dismissal=不当解雇; copyright infringement=版权侵权; trademark registration=商标注册; patent law=专利法; the GDPR=通用数据保护条例; child custody=子女抚养权; divorce settlements=离婚财产分割;
inheritance law=继承法; a last will=遗嘱; power of attorney=授权委托书; small claims court=小额诉讼; negligence=过失责任; product liability=产品责任; defamation=诽谤; self-defence=正当防卫; criminal intent=犯罪故意; plea bargains=认罪协商;
the presumption of innocence=无罪推定; search warrants=搜查令; the statute of limitations=诉讼时效; consumer protection law=消费者保护法; warranty claims=保修索赔; speeding tickets=超速罚单; drunk driving charges=酒驾指控; immigration visas=移民签证; asylum applications=庇护申请; employment contracts=劳动合同;
overtime pay=加班费; maternity leave rights=产假权利; workplace discrimination=职场歧视; sexual harassment claims=性骚扰投诉; arbitration clauses=仲裁条款; jurisdiction=管辖权; habeas corpus=人身保护令; constitutional rights=宪法权利; freedom of speech law=言论自由法律; judicial review=司法审查;
corporate liability=公司责任; bankruptcy proceedings=破产程序; a lease agreement=租赁合同; eviction notices=驱逐通知; security deposits=押金; property boundaries=房产界址; zoning rules=土地规划法规; insurance disputes=保险纠纷; medical malpractice=医疗事故; force majeure=不可抗力;
terms of service=服务条款; privacy policies=隐私政策; open source licences=开源许可证; antitrust law=反垄断法; tax evasion penalties=逃税处罚; money laundering rules=反洗钱规定; extradition=引渡; international treaties=国际条约; war crimes tribunals=战争罪法庭; adoption law=收养法; guardianship=监护权; notarised documents=公证文件; hearsay evidence=传闻证据; tort damages=侵权赔偿
"""
TERMS["math"] = """
quadratic equations=二次方程; the Pythagorean theorem=勾股定理; derivatives=导数; integrals=积分; the chain rule=链式法则; matrices=矩阵; eigenvalues=特征值; limits=极限; prime numbers=质数; modular arithmetic=同余运算;
probability of dice rolls=掷骰子的概率; combinations and permutations=排列组合; the binomial theorem=二项式定理; Bayes' theorem=贝叶斯定理; the normal distribution=正态分布; confidence intervals=置信区间; hypothesis testing=假设检验; linear regression formulas=线性回归公式; trigonometric identities=三角恒等式; logarithms=对数;
exponents=指数运算; fractions=分数; percentages=百分数; simultaneous equations=方程组; inequalities=不等式; complex numbers=复数; vectors in space=空间向量; the dot product=点积; conic sections=圆锥曲线; arithmetic sequences=等差数列;
geometric series=等比级数; Taylor series=泰勒级数; Fourier series=傅里叶级数; differential equations=微分方程; partial derivatives=偏导数; group theory=群论; rings and fields=环与域; topology=拓扑学; set theory=集合论; mathematical induction=数学归纳法;
proof by contradiction=反证法; graph colouring=图着色; the determinant=行列式; linear independence=线性无关; Gaussian elimination=高斯消元; optimisation with Lagrange multipliers=拉格朗日乘数法; similar triangles=相似三角形; circle theorems=圆的定理; the volume of a cone=圆锥体积; the area of a trapezoid=梯形面积;
polynomial long division=多项式长除法; factoring polynomials=因式分解; rational functions=有理函数; absolute value equations=绝对值方程; the greatest common divisor=最大公约数; Fermat's little theorem=费马小定理; expected value=期望值; variance=方差; Markov chains=马尔可夫链; the law of large numbers=大数定律; surface integrals=曲面积分; uniform convergence=一致收敛; word problems about speed=行程应用题; unit circle angles=单位圆角度
"""
TERMS["philosophy"] = """
the categorical imperative=绝对命令; utilitarianism=功利主义; free will=自由意志; determinism=决定论; the trolley problem=电车难题; Plato's cave=柏拉图洞穴; Aristotle's virtue ethics=亚里士多德德性伦理; Descartes' cogito=我思故我在; existentialism=存在主义; stoicism=斯多葛主义;
nihilism=虚无主义; the mind-body problem=身心问题; consciousness and qualia=意识与感质; the ship of Theseus=忒修斯之船; personal identity=人格同一性; moral relativism=道德相对主义; the social contract=社会契约论; Rawls' veil of ignorance=无知之幕; the problem of evil=恶的问题; arguments for God's existence=上帝存在的论证;
Confucian ethics=儒家伦理; Daoism=道家思想; Buddhist emptiness=佛教的空; Zen koans=禅宗公案; epistemology=认识论; the Gettier problem=葛梯尔问题; skepticism=怀疑论; empiricism and rationalism=经验主义与理性主义; Hume on induction=休谟的归纳问题; Kant's critique of reason=康德的理性批判;
Hegel's dialectic=黑格尔辩证法; Nietzsche's will to power=尼采的权力意志; Sartre on freedom=萨特的自由观; Camus and the absurd=加缪的荒诞; Wittgenstein's language games=维特根斯坦的语言游戏; phenomenology=现象学; Heidegger on being=海德格尔的存在; logical positivism=逻辑实证主义; Popper's falsifiability=波普尔的可证伪性; paradigm shifts=范式转换;
the meaning of life=人生的意义; aesthetics and beauty=美学; the ethics of lying=说谎的伦理; animal ethics=动物伦理; bioethics of euthanasia=安乐死的伦理; just war theory=正义战争论; distributive justice=分配正义; feminism in philosophy=女性主义哲学; pragmatism=实用主义; formal logic and fallacies=形式逻辑与谬误;
the liar paradox=说谎者悖论; Zeno's paradoxes=芝诺悖论; possible worlds=可能世界; causation=因果性; the philosophy of time=时间哲学; machine consciousness=机器意识; the Chinese room argument=中文房间论证; moral luck=道德运气; effective altruism=有效利他主义; Epicurus on pleasure=伊壁鸠鲁的快乐论; Spinoza's ethics=斯宾诺莎伦理学; anarchism=无政府主义思想; Socratic questioning=苏格拉底式提问; natural rights=自然权利
"""
TERMS["physics"] = """
Newton's laws=牛顿定律; gravity=万有引力; special relativity=狭义相对论; general relativity=广义相对论; quantum entanglement=量子纠缠; the double slit experiment=双缝实验; the uncertainty principle=不确定性原理; black holes=黑洞; the Doppler effect=多普勒效应; entropy and the second law=熵与热力学第二定律;
conservation of momentum=动量守恒; kinetic energy=动能; projectile motion=抛体运动; friction on an incline=斜面摩擦; simple harmonic motion=简谐运动; standing waves=驻波; sound waves=声波; refraction of light=光的折射; lenses and mirrors=透镜和镜子; interference patterns=干涉图样;
the photoelectric effect=光电效应; electric fields=电场; Coulomb's law=库仑定律; Ohm's law=欧姆定律; capacitors=电容器; magnetic fields=磁场; electromagnetic induction=电磁感应; Maxwell's equations=麦克斯韦方程组; blackbody radiation=黑体辐射; nuclear fission=核裂变;
nuclear fusion in stars=恒星核聚变; radioactive half-life=放射性半衰期; the standard model=标准模型; the Higgs boson=希格斯玻色子; dark matter=暗物质; dark energy=暗能量; the expansion of the universe=宇宙膨胀; redshift=红移; neutron stars=中子星; angular momentum=角动量;
torque=力矩; centripetal force=向心力; escape velocity=逃逸速度; Kepler's laws=开普勒定律; buoyancy=浮力; Bernoulli's principle=伯努利原理; surface tension=表面张力; heat conduction=热传导; specific heat=比热容; the Carnot cycle=卡诺循环;
superconductivity=超导; semiconductors=半导体物理; lasers=激光; polarised light=偏振光; the Schrodinger equation=薛定谔方程; quantum tunnelling=量子隧穿; wave-particle duality=波粒二象性; time dilation=时间膨胀; gravitational waves=引力波; cosmic background radiation=宇宙微波背景辐射; string theory=弦理论; plasma=等离子体; the Hall effect=霍尔效应; Brownian motion=布朗运动
"""
TERMS["psychology"] = """
classical conditioning=经典条件反射; operant conditioning=操作性条件反射; cognitive dissonance=认知失调; attachment theory=依恋理论; working memory=工作记忆; long-term memory=长时记忆; confirmation bias=确认偏误; anxiety disorders=焦虑障碍; depression=抑郁症; cognitive behavioural therapy=认知行为疗法;
Maslow's hierarchy of needs=马斯洛需求层次; Piaget's stages=皮亚杰认知发展阶段; Freud's unconscious=弗洛伊德的潜意识; personality traits=人格特质; the big five=大五人格; introversion=内向性格; the bystander effect=旁观者效应; conformity experiments=从众实验; the Milgram experiment=米尔格拉姆实验; group polarisation=群体极化;
burnout=职业倦怠; procrastination=拖延症; motivation=动机; emotional intelligence=情绪智力; self-esteem=自尊; perfectionism=完美主义; grief=哀伤; post-traumatic stress=创伤后应激; phobias=恐惧症; panic attacks=惊恐发作;
ADHD in adults=成人多动症; autism=自闭症; eating disorders=进食障碍; addiction=成瘾; habit formation=习惯养成; the placebo effect=安慰剂效应; mindfulness=正念; sleep and dreams=睡眠与梦; child development=儿童发展; adolescence=青春期心理;
parenting styles=教养方式; sibling rivalry=手足竞争; social anxiety=社交焦虑; loneliness=孤独感; stereotypes=刻板印象; implicit bias=内隐偏见; decision fatigue=决策疲劳; the anchoring effect=锚定效应; loss aversion in people=损失厌恶; learned helplessness=习得性无助;
locus of control=控制点; defence mechanisms=防御机制; narcissism=自恋; intelligence tests=智力测验; language acquisition=语言习得; perception illusions=知觉错觉; selective attention=选择性注意; flow states=心流; resilience=心理韧性; couples therapy=伴侣咨询; anger management=情绪管理; psychoanalysis=精神分析; the halo effect=光环效应; imposter syndrome=冒名顶替综合征
"""
TERMS["other"] = """
a weekend in Lisbon=里斯本周末游; a birthday party=生日聚会; sourdough bread=酸面包; a vegan dinner=素食晚餐; house plants=室内绿植; a used car=二手车; running shoes=跑鞋; a wedding speech=婚礼致辞; a thank-you card=感谢卡; camping with kids=带孩子露营;
cleaning the oven=清洁烤箱; folding shirts=叠衬衫; board games=桌游; science fiction novels=科幻小说; detective series=侦探剧; jazz albums=爵士专辑; guitar practice=吉他练习; watercolour painting=水彩画; knitting a scarf=织围巾; a kitten=小猫;
dog training=训练狗; the football season=足球赛季; tennis rules=网球规则; chess openings=象棋开局; crossword puzzles=填字游戏; a cheap phone=便宜的手机; noise cancelling headphones=降噪耳机; a coffee machine=咖啡机; a Christmas menu=圣诞菜单; a picnic=野餐;
moving house=搬家; decorating a bedroom=布置卧室; removing stains=去除污渍; a road trip=自驾游; budget hotels in Paris=巴黎平价酒店; street food in Bangkok=曼谷街头小吃; hiking boots=登山鞋; a haircut=发型; a winter coat=冬季外套; lipstick shades=口红色号;
a haiku about rain=关于雨的俳句; a bedtime story=睡前故事; a love poem=情诗; a short story about a dragon=关于龙的短篇故事; song lyrics=歌词; a limerick=打油诗; a toast for a friend=给朋友的祝酒词; baby names=宝宝名字; horoscopes=星座运势; riddles=谜语;
dad jokes=冷笑话; small talk=闲聊话题; gift ideas for dad=送爸爸的礼物; a dating profile=交友资料; making friends=交朋友; pancakes=松饼; fried rice=炒饭; dumplings=饺子; ice cream flavours=冰淇淋口味; tomato plants on a balcony=阳台番茄; bird watching=观鸟; a film for tonight=今晚的电影; travel insurance for a holiday=旅游保险; packing a suitcase=收拾行李
"""

DOMAINS = sorted(TERMS)
EN, ZH = {}, {}
for _domain, _text in TERMS.items():
    _pairs = [t.strip().split("=") for t in _text.replace("\n", " ").split(";") if t.strip()]
    EN[_domain] = [a for a, _ in _pairs]
    ZH[_domain] = [b for _, b in _pairs]
    assert len(set(EN[_domain])) == len(_pairs), _domain
