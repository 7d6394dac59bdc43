"""Read the region where an album was made from text, such as names of countries."""

from __future__ import annotations

import re

from icf.codes import Region

#: Names, adjectives and scripts; a star stands for any ending
#: ("Portug*"), and "!" for capitals ("US!", which "us" is not).
_WORDS = {
    Region.JAPAN: "Japan, Japanese, Nihon, Nippon, Japon*, Giappon*, 日本, Япони*, "
    "일본",
    Region.CHINA: "China, Chinese, PRC, Hong Kong*, Hongkong*, Macau, Macao, "
    "Macanese, Taiwan*, Chine, Chinois*, Cina, Cines*, Taipei, 中国, 中國, 中华, "
    "香港, 澳门, 澳門, 台湾, 臺灣, 台灣, Кита*, 중국",
    Region.EUROPE: "Europe*, Albania*, Andorra*, Austria*, Belarus*, Belgi*, Bosnia*, "
    "Britain, British, Bulgaria*, Catala*, Croatia*, Cypr*, Czech*, Czechoslovak*, "
    "Danish, Denmark, Dutch, England, English, Estonia*, Faroe*, Finland, Finnish, "
    "Flemish, Flanders, France, French, German, Germany, Greece, Greek, Holland, "
    "Hungar*, Iceland*, Ireland, Irish, Ital*, Kosov*, Latvia*, Liechtenstein*, "
    "Lithuania*, Luxemb*, Macedonia*, Malta, Maltese, Moldov*, Monac*, Monegasque, "
    "Montenegr*, Netherlands, Northern Ireland, Norway, Norwegian, Poland, Polish, "
    "Portug*, Romania*, Russia*, San Marino, Scotland, Scottish, Serbia*, Slovak*, "
    "Sloven*, Soviet*, Spain, Spanish, Swed*, Swiss, Switzerland, Ukrain*, "
    "United Kingdom, Vatican, Wales, Welsh, Yugoslav*, Great Britain, U.K., USSR, "
    "Deutschland, España, UK, 欧洲, 歐洲, 英国, 英國, 法国, 法國, 德国, 德國, 意大利, "
    "西班牙, 俄罗斯, 苏联, イギリス, フランス, ドイツ, イタリア, スペイン, ロシア, "
    "Росси*, Франци*, Герман*",
    Region.AMERICA: "America, American, Americas, Americans, U.S., U.S.A., USA, US!, "
    "United States, North America*, South America*, Latin America*, Argentin*, "
    "Bahama*, Barbad*, Belize*, Bolivia*, Brazil*, Brasil*, Canad*, Québec*, Quebec*, "
    "Chile*, Colombia*, Costa Rica*, Cuba*, Dominica*, Ecuador*, El Salvador, "
    "Salvadoran, Grenad*, Guatemala*, Guyan*, Haiti*, Hondura*, Jamaica*, Mexic*, "
    "México, Nicaragua*, Panama*, Paraguay*, Peru*, Puerto Ric*, Suriname*, "
    "Trinidad*, Uruguay*, Venezuela*, Estados Unidos, États-Unis, 美国, 美國, 加拿大, "
    "墨西哥, アメリカ, カナダ, США",
    Region.OTHER: "Africa*, Asia, Asian, Oceania*, Afghan*, Algeria*, Armenia*, "
    "Australia*, Azerbaijan*, Bahrain*, Banglades*, Bhutan*, Botswana*, Brunei*, "
    "Cambodia*, Cameroon*, Congo*, Egypt*, Ethiopia*, Fiji*, Ghana*, India, Indian, "
    "Indonesia*, Iran*, Iraq*, Israel*, Ivory Coast, Ivorian, Jordanian, Kazakh*, "
    "Kenya*, Korea, Korean, North Korea*, South Korea*, Kuwait*, Kyrgyz*, Lao*, "
    "Leban*, Libya*, Madagas*, Malaysia*, Maldiv*, Mali, Malian, Mauriti*, Mongolia*, "
    "Morocc*, Mozambi*, Myanmar, Burm*, Namibia*, Nepal*, New Zealand*, Nigeria*, "
    "Oman*, Pakistan*, Palestin*, Papua*, Philippin*, Filipin*, Qatar*, Rwanda*, "
    "Samoa*, Saudi*, Senegal*, Singapor*, Somali*, South Africa*, Sri Lanka*, Sudan*, "
    "Syria*, Tajik*, Tanzania*, Thai*, Tibet*, Tunisia*, Turk*, Uganda*, Emirat*, "
    "Uzbek*, Vietnam*, Yemen*, Zambia*, Zimbabw*, 韩国, 韓國, 朝鲜, 印度, 泰国, "
    "澳大利亚, 韓国, インド, オーストラリア, 한국",
}

#: Codes of ISO 3166-1, and others in use; only where they are the whole text.
_CODES = {
    Region.JAPAN: "JP JPN JAP",
    Region.CHINA: "CN CHN HK HKG MO MAC TW TWN",
    Region.EUROPE: "AD AL AT AUT BA BE BEL BG BGR BY CH CHE CY CZ CZE DE DEU DK DNK "
    "EE ES ESP FI FIN FR FRA GB GBR UK GR GRC HR HRV HU HUN IE IRL IS IT ITA LI LT LU "
    "LV MC MD ME MK MT NL NLD NO NOR PL POL PT PRT RO ROU RS RU RUS SE SWE SI SK SM "
    "UA UKR",
    Region.AMERICA: "US AR ARG BO BR BRA CA CAN CL CHL CO COL CR CU CUB DO EC GT HN "
    "JM MX MEX NI PA PE PER PR PY SV TT UY VE VEN",
    Region.OTHER: "AU AUS EG EGY ID IDN IL ISR IN IND IR IRN KP KR KOR MY MYS NG NZ "
    "NZL PH PHL PK SA SG SGP TH THA TR TUR VN VNM ZA ZAF",
}


def read_region(text: str) -> Region | None:
    """Return the region that a text names first, or None where it names none.

    >>> read_region("Japanese"), read_region("US / France"), read_region("CN")
    (<Region.JAPAN: 'japan'>, <Region.AMERICA: 'america'>, <Region.CHINA: 'china'>)
    >>> read_region("Music and animation for us") is None
    True
    """
    bare = text.strip()
    if bare in _BY_CODE:
        return _BY_CODE[bare]
    if bare.casefold() in _BY_VALUE:
        return _BY_VALUE[bare.casefold()]
    found = _PATTERN.search(text)
    return None if found is None else _BY_VALUE[str(found.lastgroup)]


def _pattern() -> re.Pattern[str]:
    """One group a region; the first word of a text wins."""
    groups = []
    for region, words in _WORDS.items():
        alternatives = "|".join(_alternative(word) for word in words.split(", "))
        groups.append(f"(?P<{region.value}>{alternatives})")
    return re.compile("|".join(groups), re.IGNORECASE)


def _alternative(word: str) -> str:
    stem = re.escape(word.rstrip("*!")).replace(r"\ ", r"\s+")
    if not re.match(r"[A-Za-zÀ-ÿ]", word):
        return stem  # scripts that put no spaces between words, or inflect
    end = "" if word.endswith("*") else r"(?!\w)"
    return (
        rf"(?<!\w)(?-i:{stem}){end}" if word.endswith("!") else rf"(?<!\w){stem}{end}"
    )


_PATTERN = _pattern()
_BY_CODE = {code: region for region, codes in _CODES.items() for code in codes.split()}
_BY_VALUE = {region.value: region for region in Region}
