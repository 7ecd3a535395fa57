"""The scripts are run as users run them: they are no modules of the suite."""

collect_ignore = ["scripts"]
