"""What the API answers with, as dataclasses. `python -m tests.client.make_records` makes them.

Statuses and other names are plain text: a newer server may have more of them.
"""

from datetime import datetime
from typing import Any

from trainyard_client.decoding import Record


class Architecture(Record):
    """Architecture."""

    name: str
    size_multiple: int
    min_size: int
    min_batch: int
    dynamic_size: bool
    encoder_prefix: str


class Architectures(Record):
    """Architectures."""

    items: list[Architecture]


class Artifact(Record):
    """Artifact.

    modified: when it was written
    """

    path: str
    bytes: int
    modified: datetime | None
    url: str


class Artifacts(Record):
    """Artifacts."""

    items: list[Artifact]


class Board(Record):
    """Board.

    problem: why it failed
    created_at: when it was asked for
    created_by: id of a key, or another name
    url: where a browser looks at it
    """

    id: str
    runs: list[str]
    status: str
    problem: str | None
    created_at: datetime | None
    created_by: str
    url: str


class BoardList(Record):
    """Board list."""

    items: list[Board]


class Error(Record):
    """Error.

    code: stable name of the kind of error
    status: HTTP status
    message: one sentence for a person
    errors: what is wrong, keyed by field as the request is nested
    remedy: what to do about it
    request_id: also in the header X-Request-ID
    """

    code: str
    status: int
    message: str
    errors: dict[str, Any]
    cause: str
    remedy: str
    request_id: str


class BulkOutcome(Record):
    """Bulk outcome.

    status: its status now; null once deleted
    error: why it was left as it is; null where it was done
    """

    id: str
    status: str | None
    error: Error | None


class Bulk(Record):
    """Bulk.

    failed: how many were left as they are
    """

    items: list[BulkOutcome]
    failed: int


class Offer(Record):
    """Offer.

    name: whose it is, a dot, and what it is
    task: the task that it is for, null for all
    forms: what `model.task` a loss is for; empty for all
    params: what a loss takes, each a number from and to
    size_multiple: of which the sides of an architecture's images are multiples, in px
    encoders: of an architecture; empty where it takes Trainyard's
    """

    kind: str
    name: str
    help: str
    task: str | None
    forms: list[str]
    params: dict[str, list[float]]
    takes_class_weights: bool
    size_multiple: int
    encoders: list[str]


class Task(Record):
    """Task.

    name: what `task` of a spec says
    forms: what `model.task` may be
    monitors: metrics that may be monitored, and which way is better
    """

    name: str
    help: str
    forms: list[str]
    architectures: list[str]
    losses: list[str]
    monitors: dict[str, str]


class Catalogue(Record):
    """Catalogue.

    transform_parameters: of each transform, what each of its parameters may be, in words
    plugins: what plug-ins of living workers offer besides
    """

    tasks: list[Task]
    losses: list[str]
    optimizers: list[str]
    schedules: list[str]
    precisions: list[str]
    fits: list[str]
    encoder_weights: list[str]
    transforms: list[str]
    transform_parameters: dict[str, dict[str, str]]
    device_classes: list[str]
    presets: list[str]
    plugins: list[Offer]


class TransformSpec(Record):
    """Transform spec.

    name: albumentations class name
    params: keyword arguments of that class, `p` included
    """

    name: str
    params: dict[str, Any]


class AugmentationSpec(Record):
    """Augmentation spec.

    preset: file name in configs/augmentation/ without .yaml, or `custom`
    transforms: applied in this order, to images of the trained size
    mixup_alpha: classification: blend images two by two, by a share of Beta(alpha, alpha); 0 does not
    cutmix_alpha: classification: paste a box of another image, of an area of Beta(alpha, alpha); 0 does not; with mixup, half of the batches each
    validation: transforms that every image is seen through after training: in validation, report and predictions; they draw nothing, as CLAHE with p 1 and clip_limit [4, 4]; training has what `transforms` say
    min_visibility: detection: objects of which less is still in the varied image are not learnt from it
    device: where training images are varied: cpu by loader processes, training on the device that trains, which knows flips, turns, affine and perspective maps, then colours, blur, noise and holes
    """

    preset: str
    transforms: list[TransformSpec]
    mixup_alpha: float
    cutmix_alpha: float
    validation: list[TransformSpec]
    min_visibility: float
    device: str


class CheckpointSpec(Record):
    """Checkpoint spec.

    monitor: metric that makes an epoch the best; losses by the lowest
    every_epochs: also keep one of every n epochs; 0 keeps none
    keep_last: of those, keep the newest k; 0 keeps all
    """

    monitor: Any
    every_epochs: int
    keep_last: int


class ComputeSpec(Record):
    """Compute spec.

    devices: how many GPUs, or processes where there is no GPU, each with batches of its own; or which of the worker's GPUs, as a list of their places, counted from 0
    strategy: how devices work together; auto is ddp for more than one
    compile: compile the network with torch.compile; slow to start, no gain on CPUs
    deterministic: take algorithms that give the same bits again, where there are such
    """

    devices: Any
    strategy: str
    compile: bool
    deterministic: bool


class DataSpec(Record):
    """Data spec.

    image_size: height and width of a training image; rounded up as needed
    fit: stretch to the square, letterbox with ignored borders, or crop: of segmentation at the image's own scale, of classification a part of random size, and the middle in validation
    rare_class_chance: crop: share of crops around a class with few pixels; validation takes every pixel once
    crop_min_area: classification, crop: the least that a training image shows
    class_sampling: classification: natural trains on each image once an epoch, balanced draws as many images of each class
    batch_size: images per batch, on each device; auto finds the largest that fits, up to 8 on a CPU, where larger ones bring no speed
    loader_workers: loader processes of each device; 0 loads in the training process; auto takes as many as a GPU with such transforms needs, at most one less than there are cores, and none on a CPU
    val_fraction: draw validation anew as this share of train + val; null keeps the set's split
    split_index: validate with this fold of the set, counted from 0, and train on the others; null keeps the set's split
    val_every_epochs: validate every n-th epoch, counted from the first, and always the last one
    val_max_images: validate epochs with so many of the validation images, drawn by the seed so that every class is among them; the best checkpoint of a completed run is scored on all; null takes all in each
    eval_topk: classification: also score with how many images a true class is among the k most probable ones, for each k from 2 to 10 in the list
    """

    image_size: int
    fit: str
    rare_class_chance: float
    crop_min_area: float
    class_sampling: str
    batch_size: Any
    loader_workers: Any
    val_fraction: float | None
    split_index: int | None
    val_every_epochs: int
    val_max_images: int | None
    eval_topk: list[int]


class EarlyStoppingSpec(Record):
    """Early stopping spec.

    monitor: metric; a loss is to fall, anything else to rise
    patience: validated epochs without a better value before the end; 0 never ends early
    min_delta: a value must be better by more than this to count
    """

    monitor: Any
    patience: int
    min_delta: float


class ExportSpec(Record):
    """Export spec.

    onnx: write model.onnx in fp32
    half: also write model.fp16.onnx: weights and arithmetic in float16
    int8: also write model.int8.onnx, quantised with images of the training split
    with_preprocessing: bake the preprocessing in: `image` (N, H, W, 3) uint8 RGB in, `classes` (N, H, W) uint8 out, or of classification `probabilities` (N, C) float32
    """

    onnx: bool
    half: bool
    int8: bool
    with_preprocessing: bool


class ModelSpec(Record):
    """Model spec.

    architecture: architecture of segmentation_models_pytorch; of classification Classifier, a linear layer on the encoder's pooled features; of detection one of torchvision's detectors
    encoder: encoder of smp, or `tu-` and a timm model; of classification also hf-hub:OWNER/NAME of the model hub, or folder:<path inside the storage's weights folder>, with a model as timm writes it
    task: multiclass: one logit per class; binary: one logit, for the second of two classes; multilabel: one logit per class, of which a pixel or image may have several or none; of detection: boxes, or with instance_segmentation outlines as well
    encoder_weights: none | imagenet, of an encoder of the hub or of a folder those that lie there | packaged | file:<path inside the storage's weights folder>
    """

    architecture: Any
    encoder: str
    task: str
    encoder_weights: str


class LossSpec(Record):
    """Loss spec.

    name: loss
    weight: its factor in the sum of all terms
    params: its own parameters, as the catalogue lists them; may be empty
    """

    name: Any
    weight: float
    params: dict[str, float]


class ScheduleSpec(Record):
    """Schedule spec.

    name: shape after the warm-up
    warmup_fraction: rise to the peak
    final_factor: where cosine, poly and one_cycle end; step and plateau go no lower
    power: poly: exponent of the share of steps left
    drop_factor: step and plateau: each drop multiplies the rate by this
    drop_every: step: from one drop to the next
    patience: plateau: validated epochs without a lower val_loss before a drop
    """

    name: str
    warmup_fraction: float
    final_factor: float
    power: float
    drop_factor: float
    drop_every: float
    patience: int


class OptimizationSpec(Record):
    """Optimization spec.

    losses: terms that are added up
    class_weighting: for losses that weigh classes; auto favours rare ones of the training images
    class_weights: one per class in the set's order where class_weighting is `given`, else empty; of a multilabel task they multiply the cost of pixels or images that have the class
    optimizer: optimizer of timm's factory
    learning_rate: peak learning rate
    encoder_lr_factor: learning rate of the encoder as a share of the peak
    layer_lr_decay: each layer of the encoder learns at this share of the next one's rate; 1 at the same
    weight_decay: weight decay; biases and norms have none
    momentum: of those optimizers that have one
    gradient_clip: gradients are clipped to this norm; 0 does not clip
    accumulate_batches: batches whose gradients make one step
    freeze_encoder_epochs: the encoder, batch-norm statistics included, is left as it is for so long
    ema_decay: keep a moving average of the weights, with this decay per step, and validate, save and export that; null keeps none
    """

    losses: list[LossSpec]
    class_weighting: str
    class_weights: list[float]
    optimizer: Any
    learning_rate: float
    encoder_lr_factor: float
    layer_lr_decay: float
    weight_decay: float
    momentum: float
    schedule: ScheduleSpec
    gradient_clip: float
    accumulate_batches: int
    freeze_encoder_epochs: int
    ema_decay: float | None


class TrainingSpec(Record):
    """Training spec.

    task: what is learnt, which decides what the parts below may name; segmentation: a class for each pixel, or several; classification: a class for each image, or several; detection: objects in an image, each with its class and its box, or its outline as well
    epochs: epochs to train; may be changed while the run trains
    precision: auto takes bf16 where the device computes it natively
    seed: seed of weights, order and augmentation
    version: form of this spec; a request may leave it out
    """

    task: str
    model: ModelSpec
    data: DataSpec
    augmentation: AugmentationSpec
    optimization: OptimizationSpec
    early_stopping: EarlyStoppingSpec
    checkpoints: CheckpointSpec
    export: ExportSpec
    compute: ComputeSpec
    epochs: int
    precision: str
    seed: int
    version: int


class CheckedRun(Record):
    """Checked run.

    queue: the device class it waits for
    epochs: the present target
    max_hours: hours that all attempts may train together; it then fails with `time_limit`, its work saved, and can be resumed with more. null: no limit
    """

    project: str
    name: str
    notes: str
    tags: list[str]
    group: str | None
    dataset_id: str
    dataset_hash: str
    experiment: str | None
    spec: TrainingSpec
    queue: str
    priority: int
    epochs: int
    max_hours: float | None
    notices: list[str]


class Checkpoint(Record):
    """Checkpoint.

    kind: best, last or epoch
    epoch: epochs finished
    step: optimizer steps finished
    monitor: the metric by which epochs of the run are judged
    monitored: its value in that epoch
    val_miou: of segmentation; `monitored` is of every task
    """

    name: str
    file: str
    kind: str | None
    epoch: int | None
    step: int | None
    monitor: str | None
    monitored: float | None
    val_miou: float | None
    bytes: int
    url: str


class Checkpoints(Record):
    """Checkpoints."""

    items: list[Checkpoint]


class MetricSummary(Record):
    """Metric summary."""

    best: float
    best_epoch: int
    last: float
    last_epoch: int


class MetricComparison(Record):
    """Metric comparison.

    direction: what is better
    summaries: of each run, in the order of `runs`; null where it has none
    best_run: id of the run with the best value
    """

    name: str
    direction: str
    summaries: list[MetricSummary | None]
    best_run: str


class RunLinks(Record):
    """Run links."""

    metrics: str
    events: str
    log: str
    checkpoints: str
    artifacts: str


class RunItem(Record):
    """Run item.

    task: spec.model.task
    architecture: spec.model.architecture
    encoder: spec.model.encoder
    unreadable: why the record cannot be read; all that is not known of it is null then, and it can be deleted
    queue: the device class it waits for
    fence: attempts begun
    owner: the worker that trains or finishes it
    created_at: when it was accepted
    started_at: when its present attempt began
    ended_at: when it ended
    epochs: the present target
    epoch: epochs finished
    step: optimizer steps finished
    max_hours: hours that all attempts may train together; it then fails with `time_limit`, its work saved, and can be resumed with more. null: no limit
    metrics: best and newest value of each metric that may be monitored, with its epoch
    best_row: metrics of the epoch that is best by spec.checkpoints.monitor, with `epoch` and `step`, without those of single classes
    last_row: metrics of the newest epoch, with `epoch` and `step`, without those of single classes
    forked_from: `run_id` and `checkpoint`
    result: best_epoch, its metrics but those of single classes, images_per_second
    error: code, cause, message, remedy, attempt
    """

    id: str
    project: str | None
    name: str | None
    tags: list[str]
    group: str | None
    dataset_id: str
    experiment: str | None
    task: str
    architecture: str
    encoder: str
    status: str
    unreadable: str | None
    revision: int
    queue: str
    priority: int
    interrupted: bool
    fence: int
    crashes: int
    owner: str | None
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    epochs: int
    epoch: int
    step: int
    max_hours: float | None
    used_seconds: float
    metrics: dict[str, MetricSummary]
    best_row: dict[str, Any] | None
    last_row: dict[str, Any] | None
    labels: dict[str, str]
    reopened_by: str | None
    forked_from: dict[str, Any] | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    links: RunLinks


class Setting(Record):
    """Setting.

    name: such as `spec.optimization.learning_rate` or `dataset_id`
    values: of each run, in the order of `runs`
    """

    name: str
    values: list[Any]


class Comparison(Record):
    """Comparison.

    settings: those that differ, and no others
    """

    runs: list[RunItem]
    settings: list[Setting]
    metrics: list[MetricComparison]


class ClassInfo(Record):
    """Class info."""

    index: int
    name: str
    value: int
    color: Any
    pixels: int
    share: float
    images: int


class Interpretation(Record):
    """Interpretation."""

    format: str
    pairs: str
    classes: str
    splits: str
    guesses: list[str]


class ObjectClass(Record):
    """Object class."""

    index: int
    name: str
    value: int
    color: Any
    objects: int
    images: int


class ObjectSummary(Record):
    """Object summary."""

    count: int
    crowds: int
    images: int
    most: int
    sizes: dict[str, int]
    classes: list[ObjectClass]


class DatasetSummary(Record):
    """Dataset summary."""

    content_hash: str
    images: int
    splits: dict[str, int]
    classes: list[ClassInfo]
    ignore_share: float
    sizes: dict[str, int]
    mean: Any
    std: Any
    task: str
    kinds: list[str]
    objects: ObjectSummary | None
    folds: int | None
    reading: Interpretation | None


class IngestOptions(Record):
    """Ingest options."""

    format: str | None
    classes: dict[str, str] | None
    colors: dict[str, int] | None
    ignore_value: int | None
    images: str | None
    masks: str | None
    class_masks: dict[str, str] | None
    label_map: dict[str, int | None] | None
    objects: str | None
    several_masks: str | None
    pair_numbers: str | None
    copies: str | None
    unmasked: str | None
    flat_images: str | None
    mask_size: str | None
    class_folders: str | None
    label_depth: int | None
    label_columns: list[str] | None
    label_separator: str | None
    labels: str | None
    box_form: str | None
    on_question: str
    order: str
    crowd: str
    max_side: int | None
    splits: dict[str, list[str]] | None
    splits_from: str | None
    split_lists: str | None
    folds: int | None
    val_fraction: float
    seed: int
    max_images_per_class: Any
    names_encoding: str | None


class Problem(Record):
    """Problem."""

    severity: str
    code: str
    file: str | None
    message: str
    remedy: str
    count: int
    examples: list[str]


class Choice(Record):
    """Choice."""

    key: str
    text: str
    count: int
    options: dict[str, Any]
    examples: list[str]
    preview: bool


class Question(Record):
    """Question."""

    code: str
    text: str
    choices: list[Choice]


class RefusedChange(Record):
    """Refused change."""

    options: IngestOptions
    error: dict[str, Any]
    problems: list[Problem]
    questions: list[Question]
    proposed_label_map: dict[str, int | None] | None


class Version(Record):
    """Version.

    version: from 1
    content_hash: its name; a run records it
    created_at: when it was ready
    """

    version: int
    content_hash: str
    created_at: datetime | None
    images: int
    splits: dict[str, int]
    label_map: dict[str, int | None] | None


class Dataset(Record):
    """Dataset.

    created_at: when it was accepted
    started_at: when its ingest began
    ended_at: when its ingest ended
    annotation_name: as the client named the file
    path: below the data root, where it is read there
    parts: the same of several folders and files, by their names at the set's top
    version: the version in use; null before the first is ready
    questions: what the files leave open, while the status is `question`
    proposed_label_map: to be sent to label-map where the values of masks do not fit the classes
    change: options that wait for their ingest; the version in use stays usable
    refused_change: the latest change, where its ingest failed and an earlier version stays
    """

    id: str
    name: str
    project: str
    status: str
    revision: int
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    options: IngestOptions
    upload_bytes: int
    annotation_name: str | None
    path: str | None
    parts: dict[str, str] | None
    images_done: int
    images_total: int | None
    version: int | None
    versions: list[Version]
    summary: DatasetSummary | None
    problems: list[Problem]
    questions: list[Question]
    proposed_label_map: dict[str, int | None] | None
    change: IngestOptions | None
    refused_change: RefusedChange | None
    error: dict[str, Any] | None


class DatasetItem(Record):
    """Dataset item.

    created_at: when it was accepted
    started_at: when its ingest began
    ended_at: when its ingest ended
    annotation_name: as the client named the file
    path: below the data root, where it is read there
    parts: the same of several folders and files, by their names at the set's top
    version: the version in use; null before the first is ready
    unreadable: why the record cannot be read; it can be deleted
    """

    id: str
    name: str
    project: str
    status: str
    revision: int
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    upload_bytes: int
    annotation_name: str | None
    path: str | None
    parts: dict[str, str] | None
    images_done: int
    images_total: int | None
    version: int | None
    summary: DatasetSummary | None
    error: dict[str, Any] | None
    unreadable: str | None


class DatasetItemPage(Record):
    """Dataset item page.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[DatasetItem]
    next_cursor: str | None


class Delivery(Record):
    """Delivery.

    id: also the header Trainyard-Delivery
    event: run.status or ping
    data: what it tells of the run; null of a ping
    created_at: when what it tells of happened
    tried_at: when it was tried last
    due_at: when it is tried next; null when it is tried no more
    answer_status: of the last answer
    error: why there was none, or it counts as none
    redelivery_of: the delivery that it repeats
    """

    id: str
    webhook_id: str
    event: str
    data: dict[str, Any] | None
    created_at: datetime | None
    state: str
    attempts: int
    tried_at: datetime | None
    due_at: datetime | None
    answer_status: int | None
    error: str | None
    redelivery_of: str | None


class DeliveryPage(Record):
    """Delivery page.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[Delivery]
    next_cursor: str | None


class Draft(Record):
    """Draft.

    created_at: when it was saved first
    created_by: id of a key, or another name
    changed_at: when it was changed last
    request: what POST /runs would be sent, as far as it is known
    unreadable: why the record cannot be read; all that is not known of it is null then
    """

    id: str
    project: str | None
    revision: int | None
    created_at: datetime | None
    created_by: str | None
    changed_at: datetime | None
    request: dict[str, Any] | None
    unreadable: str | None


class DraftPage(Record):
    """Draft page.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[Draft]
    next_cursor: str | None


class Encoders(Record):
    """Encoders."""

    items: list[str]
    total: int


class Experiment(Record):
    """Experiment."""

    name: str
    spec: TrainingSpec


class Experiments(Record):
    """Experiments."""

    items: list[Experiment]


class Key(Record):
    """Key.

    created_at: when it was made
    created_by: id of the key that made it, or another name
    expires_at: when it ends by itself; null: never
    revoked_at: since when it is accepted no more; null where it is
    last_used_at: to the minute; null where it has not been used, or not since Redis was emptied
    """

    id: str
    name: str
    role: str
    projects: list[str]
    created_at: datetime | None
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class Keys(Record):
    """Keys."""

    items: list[Key]


class MadeKey(Record):
    """Made key.

    created_at: when it was made
    created_by: id of the key that made it, or another name
    expires_at: when it ends by itself; null: never
    revoked_at: since when it is accepted no more; null where it is
    last_used_at: to the minute; null where it has not been used, or not since Redis was emptied
    key: shown this once; kept only as its hash
    """

    id: str
    name: str
    role: str
    projects: list[str]
    created_at: datetime | None
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    key: str


class MadeWebhook(Record):
    """Made webhook.

    created_at: when it was made
    created_by: id of a key, or another name
    url: without its path, which may be secret, for those who may not change it
    secret: signs what is sent; shown this once
    """

    id: str
    project: str | None
    status: str
    revision: int | None
    created_at: datetime | None
    created_by: str | None
    url: str | None
    statuses: list[str] | None
    description: str | None
    secret: str


class Metrics(Record):
    """Metrics."""

    items: list[dict[str, Any]]


class EpochOverlay(Record):
    """Epoch overlay.

    modified: when it was written
    """

    epoch: int
    bytes: int
    modified: datetime | None
    url: str


class Overlays(Record):
    """Overlays."""

    items: list[EpochOverlay]


class FoundClass(Record):
    """Found class.

    share: of all pixels, 0 to 1
    box: left, top, width, height in pixels around all of it; null where none is
    probability: classification: of the whole image, 0 to 1
    predicted: classification: whether the image has it
    objects: detection: of the model's threshold and above
    """

    index: int
    name: str
    color: list[int]
    pixels: int
    share: float
    box: list[int] | None
    probability: float
    predicted: bool
    objects: int


class Outline(Record):
    """Outline.

    size: height and width of the image
    """

    size: list[int]
    counts: str


class FoundObject(Record):
    """Found object.

    index: of its class
    name: of its class
    score: 0 to 1
    predicted: whether its score is the threshold and above
    box: left, top, width and height in pixels of the image
    outline: of models of instance segmentation
    """

    index: int
    name: str
    score: float
    predicted: bool
    box: list[float]
    outline: Outline


class PredictedImage(Record):
    """Predicted image.

    name: as the client named the file
    threshold: detection: the score from which on an object is believed
    objects: detection: the most probable first, from a score of 0.05 on
    picture: its name in an archive of several
    class_map: PNG as base64, where `pictures` names it
    overlay: likewise
    """

    name: str
    width: int
    height: int
    notices: list[str]
    classes: list[FoundClass]
    threshold: float
    objects: list[FoundObject]
    picture: str | None
    class_map: str
    overlay: str


class Prediction(Record):
    """Prediction.

    seconds: that the worker took
    """

    model_id: str
    version: int
    task: str
    seconds: float
    images: list[PredictedImage]


class Project(Record):
    """Project.

    max_concurrent: null: the cluster's default, TRAINYARD_MAX_CONCURRENT
    created_at: when somebody described it first; null where nobody has
    runs: how many runs it has, by their status, without statuses that none has
    datasets: how many data sets it has
    newest_at: when its newest run or data set was made; null without any
    effective: the limit in force; null where there is none
    """

    max_concurrent: int | None
    name: str
    description: str
    created_at: datetime | None
    runs: dict[str, int]
    datasets: int
    newest_at: datetime | None
    effective: int | None


class ProjectPage(Record):
    """Project page.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[Project]
    next_cursor: str | None


class PrunedRun(Record):
    """Pruned run.

    ended_at: when it ended
    bytes: of its files
    error: why it is still there; null where it is not
    """

    id: str
    project: str
    name: str
    status: str
    ended_at: datetime | None
    bytes: int
    error: Error | None


class Pruned(Record):
    """Pruned.

    bytes: of all of them
    more: others are to be deleted besides: ask again
    """

    dry_run: bool
    bytes: int
    more: bool
    items: list[PrunedRun]


class Reason(Record):
    """Reason."""

    code: str
    message: str


class ProjectWaiting(Record):
    """Project waiting.

    running: what it has in work, in all queues
    limit: how much it may have in work
    reason: why its first waits
    """

    project: str
    waiting: int
    running: int
    limit: int | None
    reason: Reason


class Queue(Record):
    """Queue.

    workers: ids of those that serve it
    idle: how many of them have nothing to do
    in_work: what the others work on
    """

    name: str
    workers: list[str]
    idle: int
    in_work: list[str]
    waiting: int
    projects: list[ProjectWaiting]


class Queues(Record):
    """Queues."""

    items: list[Queue]


class Reindexed(Record):
    """Reindexed.

    counts: records that were `restored` to Redis, `written` to storage, the `same` in both, `removed` as they had been before, or `requeued`: they waited and were in no queue
    problems: folders that were left alone, and why; a line each
    """

    counts: dict[str, int]
    problems: list[str]


class ResumableUpload(Record):
    """Resumable upload.

    offset: bytes that are there; the rest is to be sent
    created_at: when it was begun
    """

    id: str
    project: str
    bytes: int
    offset: int
    created_at: datetime | None


class RunItemPage(Record):
    """Run item page.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[RunItem]
    next_cursor: str | None


class Attempt(Record):
    """Attempt.

    attempt: counted from 1; the run's `fence` while it lasts
    started_at: when it began
    ended_at: when it ended
    reason: trained, completed, stopped, cancelled, drained, fenced, retargeted, or the code of an error
    finishing: it wrote results of what earlier ones trained
    """

    attempt: int
    worker: str
    device: str | None
    started_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    from_epoch: int
    epochs: int
    finishing: bool


class ForkedFrom(Record):
    """Forked from."""

    run_id: str
    checkpoint: str
    loaded_layers: int | None
    total_layers: int | None
    skipped: list[str]


class Imported(Record):
    """Imported.

    created_at: when it was made there
    """

    run_id: str
    name: str
    revision: int
    created_at: datetime | None
    by: str


class Progress(Record):
    """Progress."""

    stage: str
    epoch: int
    epochs: int
    step: int
    steps_per_epoch: int
    loss: float | None
    images_per_second: float | None
    eta_seconds: float | None
    eta_low_seconds: float | None
    eta_high_seconds: float | None


class Signals(Record):
    """Signals."""

    stop: str | None
    stop_version: int
    epochs: int | None
    epochs_version: int
    cancel: bool


class PredictedStart(Record):
    """Predicted start.

    earliest: if all before it are as fast as their fastest epochs
    latest: if all before it are as slow as their slowest epochs
    """

    earliest: datetime | None
    latest: datetime | None


class Waiting(Record):
    """Waiting.

    position: 1 for the next to be taken; what a limit holds up comes after all others
    predicted_start: null of a finishing run, and while what trains cannot tell how long it will take
    """

    position: int
    reason: Reason
    predicted_start: PredictedStart | None


class Run(Record):
    """Run state.

    status: `finishing`: it is trained and its device is free; its report and exported files are being written, or wait for that (`waiting`)
    queue: the device class it waits for
    interrupted: it waits to go on after its worker was lost or shut down: it goes first
    fence: attempts begun
    crashes: attempts that were lost or broke; some are tried again
    attempts: the newest ones, in order
    owner: the worker that trains or finishes it
    created_at: when it was accepted
    started_at: when its present attempt began
    ended_at: when it ended
    epochs: the present target
    epoch: epochs finished
    step: optimizer steps finished
    max_hours: hours that all attempts may train together; it then fails with `time_limit`, its work saved, and can be resumed with more. null: no limit
    used_seconds: how long all attempts together have trained
    metrics: best and newest value of each metric that may be monitored, with its epoch
    best_row: metrics of the epoch that is best by spec.checkpoints.monitor, with `epoch` and `step`, without those of single classes
    last_row: metrics of the newest epoch, with `epoch` and `step`, without those of single classes
    forked_from: the checkpoint a fork began with, and how much of it fitted
    imported: of a run that was trained elsewhere and handed over: what it was there
    reopened_by: what brought it back into its queue after it had ended
    result: what training came to, and once it is completed the exported file
    error: why it failed: code, cause (user or infrastructure), message, remedy, errors, the attempt, the last lines of its log and its peak of memory in bytes
    signals: what is wished of the run
    dataset_deleted: whether its data set has been deleted
    waiting: null when it does not wait
    """

    id: str
    project: str
    name: str
    notes: str
    tags: list[str]
    group: str | None
    dataset_id: str
    dataset_hash: str
    experiment: str | None
    spec: TrainingSpec
    status: str
    revision: int
    queue: str
    priority: int
    interrupted: bool
    fence: int
    crashes: int
    attempts: list[Attempt]
    owner: str | None
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    epochs: int
    epoch: int
    step: int
    max_hours: float | None
    used_seconds: float
    notices: list[str]
    metrics: dict[str, MetricSummary]
    best_row: dict[str, Any] | None
    last_row: dict[str, Any] | None
    labels: dict[str, str]
    forked_from: ForkedFrom | None
    imported: Imported | None
    reopened_by: str | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    links: RunLinks
    progress: Progress | None
    signals: Signals
    dataset_deleted: bool
    waiting: Waiting | None


class SampleObject(Record):
    """Sample object.

    index: of its class among those of objects, from 0
    name: of its class
    color: red, green and blue, 0 to 255
    box: left, top, right and bottom in pixels of the image as prepared
    crowd: several objects that nobody has told apart
    """

    index: int
    name: str
    color: list[int]
    box: list[float]
    crowd: bool


class Sample(Record):
    """Sample.

    index: its position in the set, from 0
    split: train, val, test, or unused
    width: pixels, as prepared
    height: pixels, as prepared
    classes: names of those that occur
    objects: null where the set has no boxes
    url: its preview
    """

    index: int
    name: str
    split: str
    fold: int | None
    width: int
    height: int
    classes: list[str]
    objects: list[SampleObject] | None
    url: str


class Samples(Record):
    """Samples.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[Sample]
    next_cursor: str | None


class SavedExperiment(Record):
    """Saved experiment.

    created_at: when it was saved first
    created_by: id of a key, or another name
    changed_at: when it was changed last
    run_id: the run whose settings they were
    spec: the part of a spec that it says, laid over the defaults
    unreadable: why the record cannot be read; all that is not known of it is null then
    """

    id: str
    project: str | None
    name: str | None
    notes: str | None
    revision: int | None
    created_at: datetime | None
    created_by: str | None
    changed_at: datetime | None
    run_id: str | None
    spec: dict[str, Any] | None
    unreadable: str | None


class SavedExperimentPage(Record):
    """Saved experiment page.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[SavedExperiment]
    next_cursor: str | None


class Series(Record):
    """Series.

    restart: these points take the place of all earlier ones: the run was trained again
    steps: optimizer steps finished
    seconds: of training up to there
    values: null where it was computed and is no number
    """

    run_id: str
    name: str
    restart: bool
    epochs: list[int]
    steps: list[int]
    seconds: list[float]
    values: list[float | None]


class SeriesAnswer(Record):
    """Series answer.

    since: to be sent with the next request for the same runs and names
    """

    items: list[Series]
    since: str


class ModelClass(Record):
    """Model class.

    index: its value in class maps; its bit in multilabel ones
    color: red, green, blue; 0 to 255
    """

    index: int
    name: str
    color: list[int]


class ModelFile(Record):
    """Model file.

    precision: fp32, fp16 or int8; null: the card
    """

    name: str
    precision: str | None
    bytes: int
    sha256: str
    url: str


class TrainedModel(Record):
    """Trained model.

    version: from 1, within its name
    unreadable: why the record cannot be read; all that is not known of it is null then
    created_at: when it was registered
    created_by: id of a key, or another name
    content_hash: of the data it was trained on
    epoch: whose weights it has
    image_size: pixels a side, in training
    metrics: by split, from the export's card
    """

    id: str
    project: str | None
    name: str | None
    version: int | None
    stage: str
    unreadable: str | None
    revision: int | None
    created_at: datetime | None
    created_by: str | None
    notes: str | None
    run_id: str | None
    run_name: str | None
    dataset_id: str | None
    dataset_name: str | None
    dataset_version: int | None
    content_hash: str | None
    task: str | None
    architecture: str | None
    encoder: str | None
    epoch: int | None
    image_size: int | None
    classes: list[ModelClass] | None
    metrics: dict[str, Any] | None
    files: list[ModelFile] | None


class TrainedModelPage(Record):
    """Trained model page.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[TrainedModel]
    next_cursor: str | None


class UploadProgress(Record):
    """Upload progress.

    received: bytes
    total: bytes of the whole request
    """

    received: int
    total: int | None


class Usage(Record):
    """Usage."""

    id: str
    kind: str
    project: str
    name: str
    bytes: int


class Usages(Record):
    """Usages."""

    items: list[Usage]


class Webhook(Record):
    """Webhook.

    created_at: when it was made
    created_by: id of a key, or another name
    url: without its path, which may be secret, for those who may not change it
    """

    id: str
    project: str | None
    status: str
    revision: int | None
    created_at: datetime | None
    created_by: str | None
    url: str | None
    statuses: list[str] | None
    description: str | None


class WebhookPage(Record):
    """Webhook page.

    next_cursor: ask for the next page with it; null on the last
    """

    items: list[Webhook]
    next_cursor: str | None


class DeviceFigures(Record):
    """Device figures.

    memory_total_bytes: 0 where it cannot be told
    utilization: how busy it is, 0 to 1
    temperature_c: degrees Celsius
    """

    name: str
    memory_used_bytes: int | None
    memory_total_bytes: int
    utilization: float | None
    temperature_c: float | None


class Worker(Record):
    """Worker.

    id: `owner` of the run that it trains or finishes
    queues: device classes it serves and `finish`, `finish` alone, or `ingest`
    device: name of its GPU, or of the machine's processor
    memory_bytes: of the GPU, or of the machine; 0 where it cannot be told
    figures: of each GPU, or of the machine; empty before the first are told
    offers: what its plug-ins have
    versions: of Trainyard, Python and what it computes with; empty of older ones
    started_at: when the worker started
    holds: the run or data set in work
    attempt: the number of its attempt at that
    since: since when it has that in work
    finishing: the trained run whose results it writes beside that
    housekeeping_at: when its housekeeping last came round; null before the first time
    is_stalled: its housekeeping has not come round for a minute: look at its machine
    is_drained: it takes nothing new, and serves no queue, until its drain is ended
    unreadable: why what it says of itself cannot be read; only its id is known then
    """

    id: str
    host: str
    pid: int
    queues: list[str]
    device: str
    memory_bytes: int
    figures: list[DeviceFigures]
    offers: list[Offer]
    versions: dict[str, str]
    started_at: datetime | None
    holds: str | None
    attempt: int | None
    since: datetime | None
    finishing: str | None
    housekeeping_at: datetime | None
    is_stalled: bool
    is_drained: bool
    unreadable: str | None


class Workers(Record):
    """Workers."""

    items: list[Worker]
