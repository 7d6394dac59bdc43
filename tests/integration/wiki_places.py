"""Pages of the cartoon wiki that keep albums, casts and pictures in other places."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

PICTURES = ("Nova main.png", "Nova side.png", "Nova back.png", "Nova sketch.png")
ICON = "Tiny star.png"
ORNAMENT = "Ornament.png"
#: Further pages that show the ornament.
ORNATE_PAGES = 5

_LIST = """See the [[Main Page]] and {{Boxed|[[Never an album]]}}.
== Japan ==
{| class="wikitable"
! Place !! Title !! Made in
|-
| 1 || ''[[Star Foxes]]''<ref>A [[Never an album|note]].</ref> || Japan
|-
| 3 || [[star_Chasers]] || rowspan=2 | United States
|-
| 7 || [[Unwritten]]
|}
== Europe ==
* [[Comet Café]], by [[Somebody]]
<references/>
"""
_FOXES = """{{Infobox series
| name = Star Foxes <!-- | characters = [[Nobody]] -->
| country = [[Japan]]
| characters = {{Plainlist|
* [[Nova]]
* [[Old Vega|Vega]]
}}
}}
Text.
== Main characters ==
* [[Nova]] (voice: [[Somebody]])
* [[Old Vega]] (voice: [[Somebody]])
* [[Ghost]]
=== Villains ===
* [[Umbra]]
== Staff ==
* [[Somebody]]
"""
_NOVA = """{{Infobox character|image=Nova main.png|sex=[[Female|she-fox]]}}
[[File:Nova main.png|thumb]] [[File:Tiny star.png]] [[File:Ornament.png]]
<gallery>
Nova side.png|Seen from the side
File:Nova lost.png
</gallery>
[[Category:Star Foxes]]
"""

_PAGES = {
    "List of series": _LIST,
    "Star Foxes": _FOXES,
    "Star Chasers": "#REDIRECT [[Star Chasers (film)]]",
    "Star Chasers (film)": "A film.",
    "Comet Café": "A book.",
    "List of Star Foxes heroes": "* [[Nova]] and [[Umbra]]\n* [[Vega]]",
    "Somebody": "Makes series.",
    "Nova": _NOVA,
    "Old Vega": "#REDIRECT [[Vega]]",
    "Vega": "A fox.\n[[Category:Male characters]]",
    "Umbra": "#REDIRECT [[Star Foxes#Villains]]",
    "Gallery of Nova": "{{Shown}}\n<gallery>\nImage:Nova side.png\n</gallery>",
    "Template:Shown": "<gallery>\nFile:Nova back.png\n</gallery>",
    "Template:Boxed": '<div class="navbox">{{{1}}}</div>',
    "Template:Plainlist": "{{{1}}}",
    "Template:Infobox series": "{{{name}}} {{{country}}} {{{characters}}}",
    "Template:Infobox character": "{{{sex}}}",
    "Category:Images of Nova": "[[Category:Star Foxes]]",
}


def draw_places(pictures: Path, texts: Path) -> None:
    """Draw pictures and write pages, as `wiki_pages.draw` does."""
    sizes = {ICON: 20, ORNAMENT: 90}
    for number, name in enumerate([*PICTURES, ICON, ORNAMENT]):
        side = sizes.get(name, 120)
        file = name.replace(" ", "_")
        Image.new("RGB", (side, side + 5), (9, 40 * number, 9)).save(pictures / file)
        sketch = "sketch" in name or "back" in name
        about = "[[Category:Images of Nova]]" if sketch else "A picture."
        (pictures / f"{file}.txt").write_text(about)
    for title, text in _PAGES.items():
        (texts / title).write_text(text)
    for number in range(ORNATE_PAGES):
        (texts / f"Ornate {number}").write_text(f"[[File:{ORNAMENT}]]")
