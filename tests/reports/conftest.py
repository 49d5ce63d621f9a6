"""A run to report, written by hand."""

from support.fake_run import changed, run  # noqa: F401  these are fixtures
