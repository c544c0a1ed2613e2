"""The fields of a document that describe a C37.118 stream: addresses, phasors, digital words."""

from grid.documents.channels import DIGITALS_A_WORD, PHASES, Phasor, implied
from grid.documents.fields import Fields
from grid.transport.address import Address, AddressError


class StreamFields(Fields):
    """Takes addresses and channels out of a document, as PMU and PDC both write them."""

    def address(self, value: object, where: str) -> Address:
        """Return the address of a stream, which is written as a URL."""
        try:
            return Address.parse(str(value))
        except AddressError as error:
            self.problems.append(f"{where}: {error}")
            return Address()

    def phasor(self, value: object, where: str) -> Phasor:
        """Return a phasor, which is written as its label or as a mapping."""
        if isinstance(value, str) and (known := implied(value)) is not None:
            return known
        if not isinstance(value, dict):
            self.problems.append(
                f"{where}: {value!r} does not say type and phase as VA, IC or V+ do; "
                "write {label: ..., type: V or I, phase: A, B, C, +, - or 0}"
            )
            return Phasor(label="?", type="V", phase="+")
        entry = self.mapping(value, where, {"label", "type", "phase"})
        return Phasor(
            label=self.label(entry.get("label"), where),
            type=self.one_of(entry, "type", where, {"V": "V", "I": "I"}, ""),
            phase=self.one_of(entry, "phase", where, {phase: phase for phase in PHASES}, ""),
        )

    def word(self, value: object, where: str) -> tuple[str, ...]:
        """Return the names of the inputs of one digital word, bit 0 first."""
        names = tuple(self.label(name, where) for name in self.sequence(value, where))
        if len(names) > DIGITALS_A_WORD:
            self.problems.append(f"{where}: a digital word has 16 inputs, not {len(names)}")
        return names[:DIGITALS_A_WORD]
