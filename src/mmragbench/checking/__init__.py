"""The contract kit: does a component keep its promises?

The rules of each kind are in the file of its name; `rules` hands them to a test, `mmragbench check`
tries them from the command line.
"""

from mmragbench.checking.kit import Rule, rules, rules_on, subject
from mmragbench.checking.subjects import Subject
from mmragbench.checking.verdicts import Broken, Odd, Verdict

__all__ = ["Broken", "Odd", "Rule", "Subject", "Verdict", "rules", "rules_on", "subject"]
