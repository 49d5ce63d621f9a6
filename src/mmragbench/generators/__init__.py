"""The catalogue of generators, the second half of retrieve → generate: one file each."""

from mmragbench._catalogue import adopt

adopt(__name__, __path__)
