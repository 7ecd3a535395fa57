"""The report: one page of HTML about recipes and their runs, which needs nothing but itself."""

from statewise.recipes.report.page import report as report
