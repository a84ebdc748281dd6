"""Settles what the values of a set's masks mean, once all masks are read: the order in which rules are asked.

Ids of objects come first, since they explain any values; then smoothed edges and stray values; then the
client's label map; and last the classes, by name or as the masks show them.
"""

from collections.abc import Callable, Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.classes.class_names import fitted
from workers.ingest.classes.class_rules import ClassRules, check, check_variety, completed, declared, find
from workers.ingest.classes.rival_names import ask_about_rivals
from workers.ingest.classes.similar_names import warn_of_like_classes
from workers.ingest.decision.label_proposal import advice, proposal
from workers.ingest.decision.mixed_masks import OpenMixture, ask_about_mixture, open_mixture
from workers.ingest.decision.object_reading import Evidence, joined, label_map_of_objects, one_class_rules
from workers.ingest.decision.soft_edges import soft_edges
from workers.ingest.decision.stray_values import ask_about_strays, find_strays
from workers.ingest.decision.value_map import UNCHANGED, LabelMap, hardened, label_mapped
from workers.ingest.decision.white_masks import ask_about_surrounding, open_white, surrounds
from workers.ingest.items import FoundSet, Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.reading.statistics import NO_CLASS, SampleCounts
from workers.prepared.version import Uint8


class ClassDecision:
    """The classes of a set that is found; `proposed` is a label map that may make masks fit them, and
    `are_objects` tells whether mask values turned out to be ids of objects of one class."""

    def __init__(self, source: Source, found: FoundSet, options: IngestOptions, log: ProblemLog) -> None:
        self.proposed: LabelMap | None = None
        self.are_objects = False
        self._source = source
        self._found = found
        self._options = options
        self._log = log
        self._rules: ClassRules | None = None
        try:
            self._rules = declared(options, found)
        except Refused as refusal:
            log.refused(None, refusal)

    @property
    def rules(self) -> ClassRules | None:
        """The rules as far as they are known by now."""
        return self._rules

    def applied(self, sent: Sequence[SampleCounts], masks: Callable[[int], Uint8]) -> list[int]:
        """What each value counts as, by readings of the values as sent, in the order of `masks`.

        What is open is asked. Raises Refused where one class of objects contradicts the names.
        """
        options, log = self._options, self._log
        evidence = Evidence(readings=sent, masks=masks)
        of_objects = label_map_of_objects(self._found, self._rules, options, evidence, self._source, log)
        if of_objects is not None:
            self.are_objects = True
            self._rules = one_class_rules(self._rules, self._found, options.ignore_value)
            mapped = label_mapped(UNCHANGED, of_objects, sent, log)
            return joined(self._rules, mapped, sent, log, cut_off=self._found.cut_off)
        hard = hardened(self._rules, sent, masks, log)
        label_map = options.label_map
        if not (label_map or self._found.bit_fields or hard != UNCHANGED or log.has_errors):
            strays = find_strays(self._rules, options.ignore_value, sent, masks)
            if strays is None and self._rules is None and not (self._found.listed or self._found.colors):
                strays = soft_edges(sent, masks)
            if strays is not None:
                self.proposed = strays.proposed
                label_map = ask_about_strays(strays, self._found, self._rules, self._source, log)
            elif mixture := self._mixture(sent):
                label_map = ask_about_mixture(mixture, self._found, self._source, log)
            elif surrounds(self._rules, options.ignore_value, sent) and not self._found.listed:
                label_map = ask_about_surrounding(sent, log)
        return label_mapped(hard, label_map, sent, log)

    def _mixture(self, sent: Sequence[SampleCounts]) -> OpenMixture | None:
        ignored = self._options.ignore_value
        return open_white(self._rules, ignored, sent) or open_mixture(self._rules, ignored, sent)

    def checked(
        self,
        rules: ClassRules | None,
        applied: Sequence[int],
        sent: Sequence[SampleCounts],
        mapped: Sequence[SampleCounts],
    ) -> ClassRules | None:
        """The rules that the set keeps, of which `rules` are known, `mapped` being what the values sent count
        as; errors are logged where it keeps none."""
        found, options, log = self._found, self._options, self._log
        if rules is None and not log.has_errors:
            rules = self._fitted(mapped)
        if rules is not None:
            if found.names is not None and options.classes is None:
                rules = completed(rules, mapped, log, in_file=bool(found.listed_in))
            if rules.task == "multiclass":
                self.proposed = proposal(rules, applied, sent, mapped)
            check(rules, mapped, advice(self.proposed), log)
        elif not log.has_errors:  # of half a set, wrong classes would be found
            ignore_value = found.ignore_value if options.ignore_value is None else options.ignore_value
            rules = find(ignore_value, found.colors, mapped, log)
        if rules is not None and not log.has_errors:
            if options.classes is None and found.others and rules.task == "multiclass":
                values = {value for reading in mapped for value in reading.values}
                origin = found.classes or rules.origin
                ask_about_rivals(rules.names, origin, found.others, values, len(mapped), log)
            check_variety(rules, mapped, log)
            warn_of_like_classes(rules.names, log)
        return rules

    def _fitted(self, mapped: Sequence[SampleCounts]) -> ClassRules | None:
        """The rules by names whose values the upload does not say; None where they do not fit."""
        found, given = self._found, self._options.ignore_value
        ignored = {found.ignore_value, given, NO_CLASS}
        values = {value for reading in mapped for value in reading.values} - ignored
        lists = [(found.listed, found.listed_in), *((one.listed, one.file) for one in found.others)]
        fits = (
            (fitted(listed, file, values, len(mapped), self._log), file) for listed, file in lists if listed
        )
        fit, file = next(((fit, file) for fit, file in fits if fit is not None), (None, ""))
        if fit is None:
            return None
        names, void = fit
        ignore_value = next((one for one in (given, found.ignore_value, void) if one is not None), None)
        return ClassRules(
            names=names,
            ignore_value=ignore_value,
            colors=found.colors,
            origin=f"the names in {file}",
        )
