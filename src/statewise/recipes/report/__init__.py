"""The report: one self-contained HTML page about recipes and their runs."""

from statewise.recipes.report.page import report as report
