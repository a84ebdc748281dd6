"""What decides, and the quick tests that are meant to notice when it decides something else."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Files that decide one thing; files below `tests`, and what takes too long of them."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def is_lua(self) -> bool:
        """Whether these are scripts that run in Redis."""
        return all(pattern.endswith(".lua") for pattern in self.files)


_LONG_LEASES = tuple(
    f"unit/test_leases.py::test_{name}"
    for name in (
        "a_renewed_lease_does_not_lapse",
        "after_an_unclean_start_nothing_is_given_out_for_a_while",
        "a_lapsed_lease_puts_the_run_back_and_tells_its_followers",
    )
)
_LONG_LISTS = (
    "unit/test_reindex.py::test_many_records_are_restored_by_few_writes",
    "unit/test_queues.py::test_a_claim_looks_at_few_of_many_projects",
    "unit/test_run_lists.py::test_every_filter_and_order",
)

_RUN_SCRIPTS = (
    "prelude", "submit", "claim", "renew", "held", "reap", "requeue", "release", "hand_over", "settle",
    "commit", "tell", "finish", "crash", "stop", "retarget", "move_to_front", "cancel", "resume", "retry",
    "export", "reopen", "update", "restore", "remove_run", "waiting", "queue_position", "beside",
)  # fmt: skip
"""What becomes of a run is decided there; the others list runs, and keep models, webhooks and drafts."""

PARTS = {
    "lifecycle": Part(
        ("trainyard/registry/lifecycle.py", "trainyard/runs/record.py", "trainyard/runs/signals.py"),
        ("unit/test_run_decisions.py", "unit/test_run_life.py", "unit/test_store.py"),
    ),
    "scripts": Part(
        tuple(f"trainyard/store/lua/{name}.lua" for name in _RUN_SCRIPTS),
        (
            "unit/test_transitions.py",
            "unit/test_claims.py",
            "unit/test_queues.py",
            "unit/test_run_life.py",
            "unit/test_beside.py",
            "unit/test_dataset_scripts.py",
        ),
        (*_LONG_LEASES, *_LONG_LISTS),
    ),
    "registry": Part(
        ("trainyard/registry/records.py", "trainyard/registry/runs.py", "trainyard/registry/base.py"),
        (
            "unit/test_registry_calls.py",
            "unit/test_registry.py",
            "unit/test_run_decisions.py",
            "unit/test_run_life.py",
            "unit/test_reindex.py",
            "unit/test_known_records.py",
            "unit/test_run_lists.py",
        ),
        _LONG_LISTS,
    ),
    "leases": Part(
        (
            "trainyard/store/runs/run_streams.py",
            "trainyard/store/records.py",
            "trainyard/store/runs/queues.py",
        ),
        (
            "unit/test_store_calls.py",
            "unit/test_leases.py",
            "unit/test_claims.py",
            "unit/test_queues.py",
            "unit/test_store.py",
            "unit/test_run_life.py",
            "unit/test_beside.py",
        ),
        (*_LONG_LEASES, *_LONG_LISTS),
    ),
    "checkpoints": Part(
        ("trainyard/runs/checkpoints.py", "workers/runs/files/attempt_files.py"),
        ("unit/test_checkpoints.py", "unit/test_attempt_files.py"),
    ),
    "classes": Part(
        ("workers/ingest/classes/class_rules.py", "workers/ingest/classes/multilabel.py"),
        (
            "ingest/test_class_rules.py",
            "ingest/test_classes.py",
            "ingest/test_class_names.py",
            "ingest/test_multilabel.py",
            "ingest/test_stray_values.py",
            "ingest/test_label_proposal.py",
        ),
    ),
    "splits": Part(
        ("workers/ingest/splits/*.py",),
        (
            "ingest/test_split_questions.py",
            "ingest/test_splits.py",
            "ingest/test_split_words.py",
            "ingest/test_own_lists.py",
            "ingest/test_own_folds.py",
            "ingest/test_doubtful_lists.py",
            "ingest/test_look_alikes.py",
        ),
    ),
    "scores": Part(
        ("workers/training/tasks/segmentation/labels/metrics.py",),
        ("training/test_metrics.py", "training/test_class_counts.py", "training/test_full_precision.py"),
    ),
    "spec": Part(
        ("trainyard/spec/experiments.py", "trainyard/spec/checks.py", "trainyard/spec/stored.py"),
        (
            "unit/test_spec_refusals.py",
            "unit/test_experiments.py",
            "unit/test_stored_spec.py",
            "unit/test_spec_devices.py",
            "unit/test_classification_spec.py",
            "unit/test_detection_spec.py",
            "unit/test_unknown_fields.py",
        ),
        (
            "unit/test_experiments.py::test_merging_with_nothing_changes_nothing",
            "unit/test_experiments.py::test_what_is_laid_over_wins",
        ),
    ),
}
"""The parts by name."""
