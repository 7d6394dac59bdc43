"""Drawings of what detectors mistake for faces: hands, clothes, jewels, weapons.

They are icons of the emoji sets whose heads are trained on, in the same styles.
"""

from __future__ import annotations

import re

#: Names in all sets, without the colour of the skin.
_NAMES = (
    # Hands, and other parts of a body.
    "backhand-index-pointing-(?:down|left|right|up)|call-me-hand|clapping-hands|"
    "crossed-fingers|ear|flexed-biceps|folded-hands|foot|footprints|"
    "hand-with-fingers-splayed|handshake|heart-hands|index-pointing-up|"
    "(?:left|right)-facing-fist|leftwards-hand|leg|love-you-gesture|middle-finger|"
    "nail-polish|ok-hand|oncoming-fist|open-hands|palm-(?:down|up)-hand|"
    "palms-up-together|pinched-fingers|pinching-hand|raised-back-of-hand|"
    "raised-fist|raised-hand|raising-hands|rightwards-hand|selfie|sign-of-the-horns|"
    "thumbs-down|thumbs-up|victory-hand|vulcan-salute|waving-hand|writing-hand|"
    "mechanical-arm|mechanical-leg|bone|tooth|lungs|anatomical-heart|"
    # Clothes and what is carried.
    "backpack|ballet-shoes|bikini|briefs|clutch-bag|coat|dress|flip-flop|gloves|"
    "goggles|glasses|sunglasses|graduation-cap|handbag|high-heeled-shoe|jeans|"
    "kimono|lab-coat|mans-shoe|military-helmet|necktie|one-piece-swimsuit|purse|"
    "rescue-workers-helmet|running-shirt|running-shoe|safety-vest|sari|scarf|"
    "shorts|socks|t-shirt|thong-sandal|top-hat|womans-boot|womans-clothes|"
    "womans-hat|womans-sandal|billed-cap|folding-hand-fan|umbrella|thread|yarn|"
    # Jewels, coins, shields.
    "crown|ring|gem-stone|prayer-beads|coin|money-bag|reminder-ribbon|ribbon|"
    "rosette|sports-medal|1st-place-medal|military-medal|crystal-ball|shield|"
    "trident-emblem|fleur-de-lis|nazar-amulet|hamsa|key|old-key|locked|watch|"
    # Weapons and tools.
    "axe|bomb|boomerang|bow-and-arrow|crossed-swords|dagger|kitchen-knife|pick|"
    "hammer|hammer-and-pick|hammer-and-wrench|pistol|water-pistol|magic-wand|"
    "carpentry-saw|chains|hook|nut-and-bolt|gear|wrench|screwdriver|balance-scale|"
    # Round things and soft ones.
    "balloon|basketball|baseball|soccer-ball|volleyball|tennis|bowling|yo-yo|"
    "amphora|teapot|bell|candle|compass|cookie|doughnut|egg|cooking|bread|peach|"
    "tangerine|red-apple|green-apple|potato|mushroom|onion|coconut|melon|pancakes|"
    "dango|rice-ball|moon-cake|pizza|cherry-blossom|rose|hibiscus|sunflower|blossom|"
    "bouquet|cactus|palm-tree|violin|guitar|drum|saxophone|trumpet|accordion|"
    "feather|nest-with-eggs|empty-nest|spiral-shell|clock|mantelpiece-clock|"
    "stopwatch|dvd|magnifying-glass|light-bulb|telescope|camera|bowl-with-spoon"
)
_WANTED = re.compile(
    rf"(?:{_NAMES})(?:-(?:dark|medium-dark|medium|medium-light|light)(?:-skin-tone)?)?"
)


def is_object(key: str) -> bool:
    """Whether an icon shows such a thing, and nothing with a face.

    >>> [is_object(key) for key in ("raised-fist-dark-skin-tone", "crown", "clown")]
    [True, True, False]
    """
    return _WANTED.fullmatch(key) is not None
