"""PDF files made into passages of text and figures with their captions."""

from mmragbench.data.pdf.passages import Passages, cut
from mmragbench.data.pdf.reading import Figure, Limits, Page, Reading, read

__all__ = ["Figure", "Limits", "Page", "Passages", "Reading", "cut", "read"]
