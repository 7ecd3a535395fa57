"""The table of scripts that do more than one `fit`: stateful networks, callbacks, weights, batches one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from golden.keras2_case import (
    BATCH,
    CLASSIFICATION,
    EPOCHS,
    FEATURES,
    NOTHING,
    REGRESSION,
    ROWS,
    SHORT,
    STEPS,
    Case,
    Run,
    fitted,
)


def epoch_by_epoch(run: Run) -> None:
    """The loop of the tutorials: the state is reset by hand between the epochs, and before each look."""
    for _ in range(EPOCHS):
        run.fit(epochs=1, batch_size=BATCH)
        run.model.reset_states()
    run.look(BATCH)
    run.model.reset_states()
    run.look(BATCH)


def two_fits(run: Run) -> None:
    """The second `fit` goes on from where the first one left the state; a prediction in between moves it on."""
    run.fit(epochs=EPOCHS // 2, batch_size=BATCH)
    run.look(BATCH)
    run.fit(epochs=EPOCHS // 2, batch_size=BATCH)
    run.look(BATCH)
    run.look(BATCH)


def lower_layer_reset(run: Run) -> None:
    """Only one of two stateful layers forgets."""
    for _ in range(EPOCHS // 2):
        run.fit(epochs=2, batch_size=BATCH)
        run.model.layers[0].reset_states()


def set_states(run: Run) -> None:
    """The state begins at given values instead of at zero."""
    layer = run.model.layers[0]
    for epoch in range(EPOCHS):
        layer.reset_states(states=[run.x[:BATCH, :2, :].reshape(BATCH, 4), run.x[BATCH:, 2:, :].reshape(BATCH, 4)])
        run.fit(epochs=1, batch_size=BATCH)
        if epoch % 3 == 0:
            layer.reset_states()
            run.look(BATCH)


def batch_by_batch(run: Run) -> None:
    """`train_on_batch` and `test_on_batch`, in turns."""
    for step in range(EPOCHS):
        rows = slice(0, BATCH) if step % 2 else slice(BATCH, ROWS)
        run.keep("trained", run.model.train_on_batch(run.x[rows], run.y[rows]))
        if step % 3 == 0:
            run.keep("tested", run.model.test_on_batch(run.x[rows], run.y[rows]))
            run.keep("predicted", run.model.predict_on_batch(run.x[rows]))


def by_generator(run: Run) -> None:
    """`fit_generator` over an endless generator of batches of different sizes."""

    def batches() -> Any:
        while True:
            yield run.x[:SHORT], run.y[:SHORT]
            yield run.x[SHORT:], run.y[SHORT:]

    history = run.model.fit_generator(batches(), steps_per_epoch=2, epochs=EPOCHS, verbose=0)
    for value in history.history["loss"]:
        run.keep("history/loss", value)


def rate_set_by_hand(run: Run) -> None:
    """The learning rate of the compiled optimiser changes between two `fit`s; its momentum stays."""
    run.fit(epochs=EPOCHS // 2, batch_size=SHORT)
    backend, optimizer = run.keras.backend, run.model.optimizer
    backend.set_value(optimizer.lr, 0.1 * backend.get_value(optimizer.lr))
    run.fit(epochs=EPOCHS // 2, batch_size=SHORT)
    run.keep("rate", backend.get_value(optimizer.lr))


def rate_on_schedule(run: Run) -> None:
    scheduler = run.keras.callbacks.LearningRateScheduler(lambda epoch: 0.3 * 0.8**epoch)
    run.fit(epochs=EPOCHS, batch_size=SHORT, callbacks=[scheduler])


def rate_on_plateau(run: Run) -> None:
    """A `min_delta` that every other epoch fails to reach."""
    plateau = run.keras.callbacks.ReduceLROnPlateau(
        monitor="loss", factor=0.5, patience=2, min_delta=0.03, min_lr=0.001
    )
    run.fit(epochs=EPOCHS, batch_size=SHORT, callbacks=[plateau])
    run.keep("rate", run.keras.backend.get_value(run.model.optimizer.lr))


def stopped_early(run: Run) -> None:
    """The validation's loss stops the training before its last epoch."""
    stop = run.keras.callbacks.EarlyStopping(monitor="val_loss", patience=4, mode="min")
    run.fit(epochs=EPOCHS, batch_size=SHORT, validation_split=0.25, callbacks=[stop])


def weights_everywhere(run: Run) -> None:
    """Weights in the training, in the validation and in the evaluation; the metrics do without."""
    weights = run.data["row_weights"]
    validation = (run.x[:BATCH], run.y[:BATCH], weights[:BATCH])
    run.fit(epochs=EPOCHS, batch_size=SHORT, sample_weight=weights, validation_data=validation)
    run.keep("weighted", run.model.evaluate(run.x, run.y, batch_size=SHORT, sample_weight=weights, verbose=0))


def validated(run: Run) -> None:
    """The validation of one half moves the state of the other, as it did."""
    run.fit(epochs=EPOCHS, batch_size=BATCH, validation_data=(run.x[BATCH:], run.y[BATCH:]))
    run.look(BATCH)


def stateful(layers: Any) -> list[Any]:
    return [layers.LSTM(4, batch_input_shape=(BATCH, STEPS, FEATURES), stateful=True), layers.Dense(3)]


def half_stateful(layers: Any) -> list[Any]:
    return [
        layers.LSTM(4, return_sequences=True, batch_input_shape=(BATCH, STEPS, FEATURES)),
        layers.LSTM(3, stateful=True),
        layers.Dense(3),
    ]


def stacked_stateful(layers: Any) -> list[Any]:
    return [
        layers.LSTM(4, return_sequences=True, batch_input_shape=(BATCH, STEPS, FEATURES), stateful=True),
        layers.GRU(3, stateful=True, reset_after=True),
        layers.Dense(3),
    ]


STATEFUL = Case(stateful, batch_size=BATCH, train=fitted(batch_size=BATCH))

STATES: dict[str, Case] = {
    "stateful_at_once": replace(STATEFUL, often=True),
    "stateful_epoch_by_epoch": replace(STATEFUL, train=epoch_by_epoch, metrics=("mae",)),
    "stateful_two_fits": replace(
        STATEFUL, train=two_fits, optimizer=lambda optimizers: optimizers.Adam(lr=0.02), often=True
    ),
    "stateful_validated": replace(STATEFUL, train=validated, often=True),
    "stateful_half": replace(STATEFUL, layers=half_stateful, train=two_fits, often=True),
    "stateful_stacked": replace(STATEFUL, layers=stacked_stateful, train=lower_layer_reset),
    "stateful_from_states": replace(STATEFUL, train=set_states),
    "stateful_batch_by_batch": replace(STATEFUL, train=batch_by_batch, metrics=("mae",)),
    "stateful_masked": replace(
        STATEFUL,
        layers=lambda layers: [
            layers.Masking(mask_value=NOTHING, batch_input_shape=(BATCH, STEPS, FEATURES)),
            layers.LSTM(4, stateful=True),
            layers.Dense(3),
        ],
        x="x_with_gaps",
        train=two_fits,
    ),
    "stateful_batch_of_one": replace(
        STATEFUL,
        layers=lambda layers: [
            layers.SimpleRNN(4, batch_input_shape=(1, STEPS, FEATURES), stateful=True),
            layers.Dense(3),
        ],
        optimizer=lambda optimizers: optimizers.SGD(lr=0.02, momentum=0.5),
        train=fitted(batch_size=1),
        batch_size=1,
    ),
}

SCRIPTS: dict[str, Case] = {
    "on_batch": replace(CLASSIFICATION, train=batch_by_batch),
    "fit_generator": replace(REGRESSION, train=by_generator),
    "validation_split": replace(REGRESSION, metrics=("mae",), train=fitted(validation_split=0.3)),
    "sample_weight": replace(CLASSIFICATION, train=weights_everywhere, often=True),
    "class_weight": replace(CLASSIFICATION, train=fitted(class_weight={0: 0.5, 1: 1.0, 2: 3.0})),
    "rate_set_by_hand": replace(REGRESSION, train=rate_set_by_hand),
    "rate_on_schedule": replace(REGRESSION, train=rate_on_schedule),
    "rate_on_plateau": replace(REGRESSION, train=rate_on_plateau, often=True),
    "stopped_early": replace(REGRESSION, train=stopped_early),
}
