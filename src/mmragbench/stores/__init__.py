"""The catalogue of stores: one file each."""

from mmragbench._catalogue import adopt

adopt(__name__, __path__)
