"""`icf import`: bring in labelled data that others have published."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

cli = command.group(
    "import",
    "Bring labelled data of others into this workspace.",
    {
        "icartoonface": Subcommand(
            "icf.app.import_icartoonface.command:icartoonface",
            "Bring in the published iCartoonFace, or a release.",
        ),
        "coco": Subcommand(
            "icf.app.import_coco.command:coco",
            "Bring in pictures and boxes of COCO annotation files.",
        ),
        "folder": Subcommand(
            "icf.app.import_folder.command:folder",
            "Bring in pictures in folders of characters.",
        ),
    },
)
