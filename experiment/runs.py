"""The runs of one pytest session: on which labs, where, and how they are finished."""

import os
import shutil
from pathlib import Path

import pytest

from lab.config import inventory
from lab.console.errors import LabError
from measurements import report, run_directory


class Runs:
    """The run directories that a session makes, and pytest's result file for them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._own_junit: Path | None = None
        self.directories: list[Path] = []
        """Directories of the runs, in the order of their begin."""
        self.unrendered: dict[Path, str] = {}
        """Runs whose report could not be written, and why."""
        if not hasattr(config, "workerinput") and not config.getoption("xmlpath"):
            self.reports.mkdir(parents=True, exist_ok=True)
            self._own_junit = self.reports / f".junit-{os.getpid()}.xml"
            config.option.xmlpath = str(self._own_junit)

    @property
    def reports(self) -> Path:
        """The directory in which runs are written.

        It is that of --reports; else reports/ of the checkout whose suite runs, and
        outside a checkout reports/ of the current directory.
        """
        chosen: Path | None = self._config.getoption("--reports")
        if chosen:
            return chosen
        root = self._config.rootpath
        is_checkout = (root / "tests" / "failover").is_dir() and (root / "pyproject.toml").is_file()
        return (root if is_checkout else self._config.invocation_params.dir) / "reports"

    @property
    def labs(self) -> list[str]:
        """The names of the labs to break: of --lab, else of --inventory, else $LAB_NAME."""
        if named := self._config.getoption("--lab"):
            return list(dict.fromkeys(named))
        if directory := self._config.getoption("--inventory"):
            try:
                return [inventory.load(directory).settings.lab_name]
            except LabError as error:
                raise pytest.UsageError(str(error)) from None
        return [os.environ.get("LAB_NAME", "blackstart")]

    def finish(self) -> bool:
        """Lay pytest's result file beside each report and render the reports again.

        Returns whether every report could be written; `unrendered` says why not.
        """
        xmlpath = self._config.option.xmlpath
        for directory in self.directories:
            if xmlpath and Path(xmlpath).exists():
                shutil.copyfile(xmlpath, directory / run_directory.JUNIT)
            try:
                run_directory.write_results(directory)
                report.render(directory)
            except Exception as error:
                self.unrendered[directory] = f"{type(error).__name__}: {error}"
        if self._own_junit:
            self._own_junit.unlink(missing_ok=True)
        return not self.unrendered
