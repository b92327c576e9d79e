"""The units of a sample county: kinds of departments, schools, hospitals and companies that every county has.

`fields` are the matters a unit is the right one for; texts name the field they fall in (`demand_texts.txt`).
"""

from dataclasses import dataclass

from partybuilding.models import UnitKind


@dataclass(frozen=True)
class UnitFacts:
    """A unit to be. `reach`: in how many communities it reports, beside the one it reports to first."""

    name: str
    short_name: str
    kind: str
    duty: str
    fields: tuple[str, ...]
    reach: int


_KINDS = {
    "机关": UnitKind.DEPARTMENT,
    "事业": UnitKind.INSTITUTION,
    "学校": UnitKind.SCHOOL,
    "医院": UnitKind.HOSPITAL,
    "国企": UnitKind.STATE_COMPANY,
    "物业": UnitKind.PROPERTY,
}

# Name | short name | kind | fields | reach | duty. The first 92 report in 西乡, the first 102 in 镇安, all 121 in
# 镇赉.
_TABLE = """
县住房和城乡建设局|住建局|机关|property works compound housing|13|城乡建设、物业管理指导、老旧小区改造
县城市管理局|城管局|机关|city works green|13|市容环境卫生、市政设施、占道经营和油烟噪声管理
县公安局|公安局|机关|police|9|社会治安、户籍、犬只管理和防诈骗宣传
县民政局|民政局|机关|civil|9|社会救助、养老服务、社区治理指导
县人力资源和社会保障局|人社局|机关|labour|7|就业创业、社会保险、技能培训
县市场监督管理局|市监局|机关|business gasbottle|7|食品药品、特种设备、价格和消费维权
县司法局|司法局|机关|justice|9|人民调解、法律援助、普法宣传
县消防救援大队|消防大队|机关|fire|7|火灾防控、消防检查、应急救援
县供水有限责任公司|供水公司|国企|water|9|城区供水、管网维护和抢修
县供电公司|供电公司|国企|power|9|城区供电、线路维护和抢修
县天然气有限公司|天然气公司|国企|gas gasbottle|6|城区供气、入户安全检查
县交通运输局|交通局|机关|road bus|6|道路养护、公共交通管理
县公安局交通警察大队|交警大队|机关|road|6|道路交通秩序、标志标线和停车管理
县应急管理局|应急局|机关|emergency fire|5|防灾减灾、安全生产监管
县卫生健康局|卫健局|机关|health|5|基本公共卫生、家庭医生签约
县教育体育局|教体局|机关|school|5|学前和义务教育、校外托管、全民健身
县文化和旅游局|文旅局|机关|culture|4|公共文化服务、文艺活动
县医疗保障局|医保局|机关|medical|5|医保参保、报销和异地就医备案
县生态环境分局|环境分局|机关|environment city|4|水、气、噪声污染防治
县残疾人联合会|县残联|机关|civil|4|无障碍改造、残疾人康复和就业
团县委|团县委|机关|volunteer school|3|青年志愿服务、希望工程
县妇女联合会|县妇联|机关|women justice|3|家庭家教、妇女儿童关爱
县总工会|县总工会|机关|labour civil|2|职工帮扶、职业技能竞赛
县科学技术协会|县科协|机关|science school|2|科学普及
县人民医院|县医院|医院|health|4|医疗服务、义诊和健康讲座
县中医医院|中医院|医院|health|3|中医药服务、慢病管理
县妇幼保健院|妇保院|医院|health|2|妇女儿童保健
县城社区卫生服务中心|社区卫生中心|医院|health medical|5|疫苗接种、家庭病床、慢病用药
县疾病预防控制中心|疾控中心|事业|health city|2|传染病防控、消杀指导
县房产服务中心|房产中心|事业|housing property|6|公租房、维修资金、物业服务指导
县不动产登记中心|登记中心|事业|housing|3|不动产登记
县市政园林服务中心|市政园林中心|事业|works green road|8|路灯、道路、公园绿地养护
县环境卫生服务中心|环卫中心|事业|city|7|道路清扫、垃圾清运、公厕管理
县就业服务中心|就业中心|事业|labour business|3|求职登记、创业贷款
县养老保险经办中心|养老经办中心|事业|labour|3|养老保险参保、待遇资格认证
县图书馆|图书馆|事业|culture|2|图书借阅、全民阅读
县文化馆|文化馆|事业|culture|2|群众文艺辅导、场地开放
县融媒体中心|融媒体中心|事业|culture volunteer|1|新闻宣传、便民信息发布
县公路段|公路段|事业|road|2|国省道养护
县机关事务服务中心|机关事务中心|事业|road volunteer|2|机关后勤、院落车位错时开放
县委办公室|县委办|机关|volunteer|0|统筹协调
县人大常委会办公室|县人大办|机关|volunteer|0|代表联络
县政府办公室|县政府办|机关|volunteer|0|政务协调
县政协办公室|县政协办|机关|volunteer justice|0|委员联络
县纪委监委机关|县纪委监委|机关|volunteer|0|党风廉政宣传
县委组织部|组织部|机关|volunteer civil|1|党建指导
县委宣传部|宣传部|机关|culture volunteer|1|文明实践
县委政法委员会|政法委|机关|police justice|1|平安建设
县委机构编制委员会办公室|县委编办|机关|volunteer|0|机构编制
县委党校|县委党校|事业|culture volunteer|0|干部培训、理论宣讲
县档案馆|档案馆|事业|culture|0|档案查阅
县发展和改革局|发改局|机关|business compound|1|项目立项、价格管理
县科技和工业信息化局|科工局|机关|telecom business|1|通信协调、企业服务
县财政局|财政局|机关|compound business|1|资金保障
县自然资源局|资源局|机关|housing emergency|1|规划、地质灾害防治
县水利局|水利局|机关|water environment|2|河道管理、防汛
县农业农村局|农业农村局|机关|business|0|农产品产销对接
县商务局|商务局|机关|business|1|市场流通、便民市场
县退役军人事务局|退役军人局|机关|civil|3|优抚和就业帮扶
县审计局|审计局|机关|volunteer|0|审计监督
县统计局|统计局|机关|volunteer|0|统计调查
县行政审批服务局|审批局|机关|business|2|证照办理、帮办代办
县林业局|林业局|机关|green|2|绿化、古树名木保护
县税务局|税务局|机关|business|1|纳税服务
县人民法院|县法院|机关|justice|1|诉前调解
县人民检察院|县检察院|机关|justice|1|未成年人保护宣传
县气象局|气象局|机关|emergency|0|灾害天气预警
县工商业联合会|县工商联|机关|business civil|0|民营企业联络
县红十字会|县红会|机关|health civil|1|急救培训、人道救助
县供销合作社|供销社|机关|business|0|日用品供应
县城市建设投资集团|城投集团|国企|compound works|3|市政项目建设
县公共交通公司|公交公司|国企|bus|4|城区公交运营
县粮食购销公司|粮食公司|国企|civil volunteer|0|粮油供应
县邮政分公司|邮政公司|国企|works volunteer|2|邮政服务、快递进社区
县电信分公司|电信公司|国企|telecom|3|通信服务和线路维护
县移动分公司|移动公司|国企|telecom|3|通信服务和线路维护
县联通分公司|联通公司|国企|telecom|2|通信服务和线路维护
县广电网络公司|广电网络|国企|telecom culture|2|有线电视、应急广播
县农村商业银行|农商银行|国企|bank business|3|储蓄信贷、防诈骗宣传
县农业银行|农业银行|国企|bank|1|储蓄信贷、防诈骗宣传
县工商银行|工商银行|国企|bank|1|储蓄信贷、防诈骗宣传
县建设银行|建设银行|国企|bank|1|储蓄信贷、防诈骗宣传
县第一中学|县一中|学校|school road|1|高中教育
县第二中学|县二中|学校|school|1|初中教育
县职业技术教育中心|职教中心|学校|school labour|1|职业教育、技能培训
县第一小学|一小|学校|school science|1|小学教育、课后托管
县第二小学|二小|学校|school science|1|小学教育、课后托管
县第三小学|三小|学校|school women|1|小学教育、课后托管
县第一幼儿园|一幼|学校|school women|1|学前教育
县第二幼儿园|二幼|学校|school|0|学前教育
示例安居物业服务公司|安居物业|物业|property compound fire|5|小区物业服务
示例和家物业服务公司|和家物业|物业|property compound fire|5|小区物业服务
县乡村建设发展中心|乡建中心|事业|compound|0|乡村建设
县招商服务中心|招商中心|事业|business|0|企业落地服务
县公共资源交易中心|交易中心|事业|business|0|公共资源交易
县动物疫病预防控制中心|动物疫控中心|事业|city|0|动物防疫、犬只免疫
县特殊教育学校|特教学校|学校|school civil|0|特殊教育
县第四小学|四小|学校|school|0|小学教育
县邮政储蓄银行|邮储银行|国企|bank|0|储蓄信贷、防诈骗宣传
示例众诚物业服务公司|众诚物业|物业|property|0|小区物业服务
县烟草专卖局|烟草局|机关|volunteer|0|市场供应
示例邻里物业服务公司|邻里物业|物业|property fire|0|小区物业服务
县残疾人康复中心|残康中心|事业|civil health|0|残疾人康复
县儿童福利服务中心|儿童福利中心|事业|civil women|0|儿童福利和保护
县社会福利服务中心|福利中心|事业|civil|0|养老和救助服务
县法律援助中心|法援中心|事业|justice|0|法律援助
县公证处|公证处|事业|justice housing|0|公证服务
县志愿服务指导中心|志愿中心|事业|volunteer|0|志愿服务指导
县体育场馆服务中心|体育中心|事业|culture school|0|全民健身、场馆开放
县博物馆|博物馆|事业|culture|0|文物陈列、社会教育
县妇女儿童活动中心|妇儿中心|事业|women culture|0|妇女儿童活动
县水利工程服务中心|水利中心|事业|water|0|水利工程管护
县农业技术推广中心|农技中心|事业|green science|0|农业技术、绿植养护
县第三中学|县三中|学校|school|0|初中教育
县第五小学|五小|学校|school science|0|小学教育、课后托管
县第三幼儿园|三幼|学校|school women|0|学前教育
县口腔医院|口腔医院|医院|health|0|口腔诊疗和健康宣教
县热力供应公司|热力公司|国企|works housing|1|城区供热、管网检修
县污水处理公司|污水公司|国企|environment works|0|污水处理
示例康宁物业服务公司|康宁物业|物业|property compound|0|小区物业服务
示例佳美物业服务公司|佳美物业|物业|property fire|0|小区物业服务
"""


def units_of(total: int) -> list[UnitFacts]:
    """The first `total` units of the table, in its order."""
    return [_read(line) for line in _TABLE.strip().splitlines()[:total]]


def _read(line: str) -> UnitFacts:
    name, short_name, kind, fields, reach, duty = line.split("|")
    return UnitFacts(name, short_name, _KINDS[kind], duty, tuple(fields.split()), int(reach))
