"""Reader of PDF files: passages of text, and figures with their captions."""

from mmragbench.data.pdf.passages import Passages, cut
from mmragbench.data.pdf.pdf_reader import Figure, Limits, Page, Reading, read

__all__ = ["Figure", "Limits", "Page", "Passages", "Reading", "cut", "read"]
