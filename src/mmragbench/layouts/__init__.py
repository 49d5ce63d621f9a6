"""From a folder of data to a suite: known layouts, and the suite that data of each becomes.

A layout is one file in `known/` with a function `recognise(folder)`, which returns `DataFolder`, or None
where the folder has another layout.
"""

from mmragbench.layouts.data_folder import DataFolder
from mmragbench.layouts.recognition import recognise, recognise_all
from mmragbench.layouts.suite_text import possible_tasks, suite_name, suite_text

__all__ = ["DataFolder", "possible_tasks", "recognise", "recognise_all", "suite_name", "suite_text"]
