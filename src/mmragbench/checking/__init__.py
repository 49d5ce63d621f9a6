"""The contract kit: rules that check a component against the contract of its kind.

The rules of each kind are in the file of its name (those of models in `models`); `rules` hands them to
a test, `mmragbench check` tries them from the command line.
"""

from mmragbench.checking.kit import rules, rules_on, subject
from mmragbench.checking.rules import Check, ContractViolation, ContractWarning, Verdict
from mmragbench.checking.subjects import Subject

__all__ = [
    "Check",
    "ContractViolation",
    "ContractWarning",
    "Subject",
    "Verdict",
    "rules",
    "rules_on",
    "subject",
]
