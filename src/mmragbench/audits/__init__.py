"""Audits: what a reader should know of a run before believing its numbers.

Leaks (is a query's picture in the memory?), copies (are answers what was shown, word for word?) and
modality (are images preferred to texts?). They read what a run has, and ask no model anything new.
"""

from mmragbench.audits.copies import Copies, copies
from mmragbench.audits.leak import Leaks, leak, without
from mmragbench.audits.modality import Gap, Modality, gap, modality
from mmragbench.audits.run_audits import audit, write

__all__ = [
    "Copies",
    "Gap",
    "Leaks",
    "Modality",
    "audit",
    "copies",
    "gap",
    "leak",
    "modality",
    "without",
    "write",
]
