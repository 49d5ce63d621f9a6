"""PDF files made into passages of text and figures with their captions."""

from mmragbench.pages.passages import Passages, cut
from mmragbench.pages.reading import Figure, Limits, Page, Reading, read

__all__ = ["Figure", "Limits", "Page", "Passages", "Reading", "cut", "read"]
