"""The list of all faults; a new one is a file in this room and a word here."""

from lab.faults.delete_pod import DeletePod
from lab.faults.fault import Fault
from lab.faults.isolate import Isolate
from lab.faults.kill import Kill

FAULTS: tuple[type[Fault], ...] = (DeletePod, Isolate, Kill)
