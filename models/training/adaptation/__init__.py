"""Multi-task domain adaptation: drawn and photographed faces train one network.

Section 4 of the iCartoonFace paper (Zheng et al. 2020, arXiv:1907.13394):

    L = L_cls + 0.1 L_uir + 10 L_da

`composition` says which pictures are in a batch, `multi_task` has the sum, the other
modules a term each.
"""
