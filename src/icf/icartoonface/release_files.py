"""Where the published archives have each file; a release has them there too.

::

    recognition/icartoonface_rectrain/<identity>/<picture>
    recognition/icartoonface_rectrain_det.txt
    recognition/icartoonface_rectest/<picture>
    recognition/icartoonface_rectest_info.txt         with the pairs to score
    recognition/without_pairs/icartoonface_rectest_info.txt
    recognition/icartoonface_rectest_features.bin     float64, by our embedder
    recognition/identities.csv                        the character of each label
    recognition/unasked_references.csv                faces nobody was asked about
    detection/icartoonface_dettrain/<picture>
    detection/personai_icartoonface_dettrain_anno_updatedv1.0.csv
    detection/icartoonface_dettrain.csv               the same, under its first name
    detection/icartoonface_detval/<picture>
    detection/personai_icartoonface_detval.csv
    detection/icartoonface_detval_detections.csv      what the detector found
"""

from pathlib import Path

REC, DET = Path("recognition"), Path("detection")
RECTRAIN_FOLDER = REC / "icartoonface_rectrain"
RECTEST_FOLDER = REC / "icartoonface_rectest"
DETTRAIN_FOLDER = DET / "icartoonface_dettrain"
DETTEST_FOLDER = DET / "icartoonface_detval"
RECTRAIN_LIST = REC / "icartoonface_rectrain_det.txt"
RECTEST_INFO = REC / "icartoonface_rectest_info.txt"
#: As it is published beside the pictures: without the pairs to score.
RECTEST_LABELS = REC / "without_pairs" / RECTEST_INFO.name
FEATURES = REC / "icartoonface_rectest_features.bin"
IDENTITIES = REC / "identities.csv"
UNASKED = REC / "unasked_references.csv"
ACCEPTED = REC / "accepted_faces.csv"
FOLLOWERS = REC / "followers.csv"
DETTRAIN_BOXES = DET / "personai_icartoonface_dettrain_anno_updatedv1.0.csv"
DETTEST_BOXES = DET / "personai_icartoonface_detval.csv"
DETTEST_FOUND = DET / "icartoonface_detval_detections.csv"
#: The list of training boxes that `DETTRAIN_BOXES` replaced.
DETTRAIN_BOXES_BEFORE = DET / "icartoonface_dettrain.csv"
