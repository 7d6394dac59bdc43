"""The numbers of a split: the paper's by default (sections 3.3 and 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from icf.settings import DatasetSettings

#: Identities of the paper: 5,013 in train, 800 unseen, 2,500 distractors.
PAPER_IDENTITIES = 8_313


@dataclass(frozen=True)
class Protocol:
    """The size of each part: counts where there is enough, shares of less.

    A count holds exactly where its share of the identities reaches it. Of fewer
    identities, those below a threshold are taken, so that their number is about the
    share, and one more identity changes nothing for the others.

    Attributes:
        min_faces: faces that an identity needs to have probes.
        max_probes: limit of probes of an identity.
        seen_probe_share: share of identities that are in train and have probes.
        unseen_probe_share: share of identities that have probes and are not in train.
        distractor_share: share of identities that are distractors, one face each.
        detection_test_share: share of pictures that are in the detection test.
        seen_identities, unseen_identities, distractors: the counts.
        probes: limit of probes of all identities.
        train_identities: limit of identities in train; 0: none.
        min_train_faces: faces that an identity needs to be trained on.
        detection_train, detection_test: limits of pictures.
        thin_probes: whether no two probes of an identity are near-duplicates.
    """

    min_faces: int = 5
    max_probes: int = 17
    seen_probe_share: float = 1_200 / PAPER_IDENTITIES
    unseen_probe_share: float = 800 / PAPER_IDENTITIES
    distractor_share: float = 2_500 / PAPER_IDENTITIES
    detection_test_share: float = 1 / 6
    seen_identities: int = 1_200
    unseen_identities: int = 800
    distractors: int = 2_500
    probes: int = 20_000
    train_identities: int = 0
    min_train_faces: int = 1
    detection_train: int = 50_000
    detection_test: int = 10_000
    thin_probes: bool = True

    @classmethod
    def of_settings(cls, settings: DatasetSettings) -> Protocol:
        """Take the numbers of the section ``dataset``."""
        known = cls.__dataclass_fields__.keys()
        return cls(**settings.model_dump(include=set(known)))
