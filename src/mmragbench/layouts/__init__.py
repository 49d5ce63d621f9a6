"""From a folder of data to a suite: known layouts, and the suite that data of each becomes.

A layout is one file in `known/` with a function `recognise(folder)`, which returns `Data`, or None
where the folder has another layout.
"""

from mmragbench.layouts.data import Data
from mmragbench.layouts.recognition import recognise, recognised
from mmragbench.layouts.suite_text import possible_tasks, suite_name, suite_text

__all__ = ["Data", "possible_tasks", "recognise", "recognised", "suite_name", "suite_text"]
