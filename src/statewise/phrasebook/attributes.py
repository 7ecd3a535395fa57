"""Attributes and methods by the class that they are looked for on."""

from __future__ import annotations

from statewise.phrasebook.answer import Answer, spread
from statewise.phrasebook.reasons import DEVICE, FLOAT32, LOOP, NO_MODES, TRAINABLE

_LAYERS_ARE_FROZEN = "layers are descriptions without arrays"

ATTRIBUTES: dict[str, dict[str, Answer]] = {
    "Model": spread(
        {
            "add": Answer(
                "a graph is complete; call a layer on its last value",
                "x = sw.Input((None, 2)); model = sw.Model(x, sw.LSTM(4)(x))",
            ),
            "build": Answer("a graph knows its input", "model.summary()"),
            "reset_states reset_hidden": Answer("", "model.reset_state()"),
            "init_hidden": Answer("", "model.initial_state(1)"),
            "states hidden": Answer("", "model.state"),
            "stateful": Answer("the call carries the state", 'model.fit(x, y, batch_size=2, state="carry")'),
            "train_on_batch train_step training_step partial_fit": Answer(
                "", "model.fit(x, y, batch_size=len(x), verbose=0)"
            ),
            "test_on_batch test_step validation_step": Answer("", "model.evaluate(x, y, batch_size=len(x))"),
            "predict_on_batch predict_step predict_proba": Answer("", "model.predict(x)"),
            "predict_classes": Answer("", "model.predict(x).argmax(axis=-1)"),
            "fit_generator": Answer("fit takes an iterable of batches (x, y)", "model.fit([(x, y)])"),
            "evaluate_generator": Answer("evaluate takes an iterable of batches (x, y)", "model.evaluate([(x, y)])"),
            "predict_generator": Answer("", "np.concatenate([model.predict(batch) for batch in [x, x]])"),
            "score": Answer("", "model.evaluate(x, y, return_dict=True)"),
            "fit_transform transform": Answer("", "model.predict(x)"),
            "to_json to_yaml get_config save_model export save_weights dump": Answer(
                "one file holds layers, weights and all else", 'model.save("model.statewise")'
            ),
            "from_config load load_model load_from_checkpoint restore": Answer(
                "one file holds layers, weights and all else", 'model = sw.load("model.statewise")'
            ),
            "trainable_weights trainable_variables variables non_trainable_weights non_trainable_variables": Answer(
                "", "model.weights"
            ),
            "parameters named_parameters": Answer("", "model.params"),
            "state_dict": Answer("", "model.get_weights()"),
            "load_state_dict": Answer("", "model.set_weights(weights)"),
            "trainable requires_grad requires_grad_": TRAINABLE,
            "train eval training": NO_MODES,
            "forward call": Answer("", "y, state = model(x)"),
            "to cuda cpu device gpu mps": DEVICE,
            "half float double bfloat16 dtype": FLOAT32,
            "zero_grad backward step clip_grad_norm_ gradients grad": LOOP,
            "flatten_parameters make_predict_function make_train_function": Answer("fit and predict compile it"),
            "modules named_modules children named_children": Answer("", "model.layers"),
            "optimizer lr": Answer("", "model.learning_rate"),
            "loss loss_functions metrics metrics_names compiled_metrics compiled_loss": Answer(
                "", "model.evaluate(x, y, return_dict=True)"
            ),
            "input inputs output outputs": Answer("", "y, state = model(x)"),
            "input_shape": Answer("", "model.network.input_shape"),
            "output_shape": Answer("", "model.network.output_shape"),
            "pop": Answer("", "sw.Sequential(model.layers[:-1])"),
            "insert append extend": Answer("", "sw.Sequential([*model.layers, sw.Dense(1)])"),
            "generate sample": Answer("texts have a model of their own", "sw.TextModel(units=32)"),
            "name": Answer("a model has no name; the file that it is saved in has one"),
            "built": Answer("", "model.build((None, 3, 2))"),
            "num_params": Answer("", "model.count_params()"),
        }
    ),
    "Layer": spread(
        {
            "get_weights weights trainable_weights variables kernel bias parameters state_dict": Answer(
                f"{_LAYERS_ARE_FROZEN}, which are the model's", 'model.params["lstm"]'
            ),
            "set_weights load_state_dict": Answer(
                f"{_LAYERS_ARE_FROZEN}, which are the model's", "model.set_weights(weights)"
            ),
            "count_params": Answer("", "model.count_params()"),
            "states hidden": Answer(_LAYERS_ARE_FROZEN, 'model.initial_state(2)["lstm"].h'),
            "reset_states reset_state": Answer("", "model.reset_state()"),
            "stateful": Answer("the call carries the state", 'model.fit(x, y, batch_size=2, state="carry")'),
            "input output call forward": Answer(
                f"{_LAYERS_ARE_FROZEN}, and a model runs them", "y, state = sw.Sequential([layer])(x)"
            ),
            "get_config": Answer("", "layer.config()"),
            "hidden_size out_features output_dim": Answer("", "layer.units"),
            "in_features input_size": Answer("", "model.network.input_shape"),
            "flatten_parameters": Answer("fit and predict compile it"),
            "to cuda cpu device": DEVICE,
            "dtype": FLOAT32,
            "built build": Answer("", "model.build((None, 3, 2))"),
        }
    ),
    "Optimizer": spread(
        {
            "lr": Answer("", "model.learning_rate"),
            "step zero_grad minimize apply_gradients apply": LOOP,
            "param_groups iterations": Answer("", "model.learning_rate"),
            "get_config state_dict": Answer("", "sw.Adam(0.01).config()"),
            "get_weights variables": Answer("the model keeps what it remembers", "model.learned"),
        }
    ),
    "State": spread(
        {
            "h c hidden cell": Answer("a state has each layer's", 'state["lstm"].h'),
            "detach": Answer("gradients stop at a batch's edge"),
            "zero_ zeros": Answer("", "model.zero_state(2)"),
            "clone copy": Answer("a state never changes"),
            "to cuda cpu": DEVICE,
            "numpy": Answer("", 'np.asarray(state["lstm"].h)'),
        }
    ),
    "Callback": spread(
        {
            "model params": Answer(
                "a callback with a method as for Keras has it", "def on_epoch_end(self, model, epoch, logs): ..."
            ),
            "validation_data": Answer("logs has what was measured on it"),
            "set_model set_params": Answer("model and params are set before training begins"),
        }
    ),
    "Learner": spread(
        {
            "predict sample generate_text": Answer("", 'text_model.generate("the ", length=5)'),
            "compile": Answer("fit takes the optimizer", "text_model.fit(text, optimizer=sw.Adam(0.01))"),
            "reset_states": Answer("", "text_model.reset_state()"),
            "parameters state_dict summary": Answer("", "text_model.model.summary()"),
            "train_on_text fit_on_texts": Answer("", "text_model.fit(text)"),
        }
    ),
}
"""What objects lack."""

HOOKS: dict[str, Answer] = spread(
    {
        "on_batch_begin on_batch_end on_train_batch_begin on_train_batch_end": Answer(
            "batches run compiled, many at once", "def on_step(self, record): ..."
        ),
        "on_test_begin on_test_end on_test_batch_begin on_test_batch_end": Answer(
            "logs has what was measured", "def on_epoch_end(self, model, epoch, logs): ..."
        ),
        "on_predict_begin on_predict_end on_predict_batch_begin on_predict_batch_end": Answer(
            "callbacks are told of a training", "def on_train_end(self, model): ..."
        ),
        "on_validation_end on_train_epoch_end on_validation_epoch_end on_fit_end": Answer(
            "validation comes before the end of an epoch", "def on_epoch_end(self, model, epoch, logs): ..."
        ),
    }
)
"""Methods of callbacks that would never be called."""

SWITCHES: dict[str, frozenset[str]] = {
    "Model": frozenset(["trainable", "stateful", "training", "requires_grad", "optimizer", "loss", "lr", "dtype"])
}
"""What would be without any effect if it were set, by class."""
