package org.loranative.config;

import static org.loranative.config.Allowed.POSITIVE;
import static org.loranative.config.Allowed.between;
import static org.loranative.config.Allowed.from;
import static org.loranative.config.Allowed.minusOneOrBetween;
import static org.loranative.config.Key.choice;
import static org.loranative.config.Key.flag;
import static org.loranative.config.Key.large;
import static org.loranative.config.Key.list;
import static org.loranative.config.Key.map;
import static org.loranative.config.Key.number;
import static org.loranative.config.Key.path;
import static org.loranative.config.Key.targets;
import static org.loranative.config.Key.text;
import static org.loranative.config.Key.whole;
import static org.loranative.config.TaskType.LLM;
import static org.loranative.config.TaskType.SD;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.loranative.Spelling;

/**
 * Every setting, declared once: type, default for each task, range or words, section, meaning. The
 * reader, its checks, the tables of {@code docs/configuration.md}, the comments of {@code init},
 * the JSON Schema and {@code lora-native config} derive from it.
 */
public final class Catalogue {
  private static final String NEEDED = "none; must be named";

  private static final List<Key> KEYS =
      Stream.of(
              in(Section.DATA, data()),
              in(Section.IMAGES, ImageKeys.all().map(k -> k.only(SD))),
              in(Section.ADAPTER, adapter()),
              in(Section.TRAINING, training()),
              in(Section.MACHINE, machine()),
              in(Section.RESULTS, results()))
          .flatMap(s -> s)
          .toList();

  private static final Map<String, Key> BY_NAME = new LinkedHashMap<>();

  static {
    KEYS.forEach(k -> BY_NAME.put(k.name(), k));
  }

  private Catalogue() {}

  /** In the order of the files that are written; a default may depend on keys before its own. */
  public static List<Key> keys() {
    return KEYS;
  }

  public static List<String> names() {
    return List.copyOf(BY_NAME.keySet());
  }

  public static Optional<Key> find(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /** Those with a mark. */
  public static List<String> marked(Mark mark) {
    return KEYS.stream().filter(k -> k.has(mark)).map(Key::name).toList();
  }

  /** Whether {@code name} is a key with a mark. */
  public static boolean isMarked(String name, Mark mark) {
    return find(name).filter(k -> k.has(mark)).isPresent();
  }

  /** The same, as a sentence lists them. */
  public static String sentence(Mark mark) {
    return String.join(", ", marked(mark)).replaceFirst(", (?=[^,]*$)", " and ");
  }

  /** What is wrong with the name of a key that there is not, and what was meant. */
  public static String unknown(String name) {
    return " is not a known key. "
        + OtherTools.hint(name)
            .or(() -> Spelling.near(name, names()).map(n -> "Did you mean \"" + n + "\"?"))
            .orElse("docs/configuration.md lists them all.");
  }

  /** One that is there. */
  static Key get(String name) {
    return find(name).orElseThrow(() -> new IllegalArgumentException(name));
  }

  private static Stream<Key> in(Section section, Stream<Key> keys) {
    return keys.map(k -> k.in(section));
  }

  private static Stream<Key> data() {
    return Stream.of(
        choice("task_type", TaskType.names(), "What is trained.")
            .by(
                new Default(
                    Default.Value.fixed("llm"),
                    new Default.Value(earlier -> "sd", "none; must be named")))
            .more(
                "`llm` (`text-generation`): a language model; `sd` (`text-to-image`): a diffusion"
                    + " model."),
        path("base_model", "The model that is adapted.")
            .shown(NEEDED)
            .mark(Mark.SAME_CONTENT)
            .such("models/SmolLM2-135M")
            .more(
                "A Hugging Face folder or a `.gguf` file; for images a folder in diffusers' layout"
                    + " or a `.safetensors` checkpoint."),
        path("metadata_path", "The training data, a file or folder.")
            .shown(NEEDED)
            .mark(Mark.SAME_CONTENT)
            .such("data/chat.jsonl")
            .more(
                "`.jsonl`, `.json`, `.csv`, `.txt` (each also packed by gzip: `.jsonl.gz`),"
                    + " `.parquet` (plain, snappy, zstd or lz4), or a folder of them; for images a"
                    + " folder of captioned pictures. Arrow files are refused with the line that"
                    + " converts them."),
        path("train_data_dir", "The same, used where `metadata_path` is not set.")
            .mark(Mark.SAME_CONTENT)
            .such("data/photos"),
        choice(
                "data_format",
                List.of("auto", "messages", "sharegpt", "alpaca", "prompt", "text"),
                "How records are written.")
            .only(LLM)
            .more("`auto` goes by each record's fields."),
        path("validation_path", "Data that is only measured.").such("data/held-out.jsonl"),
        number(
                "validation_fraction",
                0,
                between(0, 0.9),
                "Share of the training data that is only measured, drawn by `seed`.")
            .more("0 where there is a `validation_path`; images: at most 16 of them.")
            .by(
                new Default(
                    Default.Value.fixed(0.0),
                    new Default.Value(
                        earlier -> "".equals(earlier.get("validation_path")) ? 0.05 : 0.0, "0.05")))
            .such("0.1"),
        choice("train_on", List.of("auto", "response", "all"), "Which tokens are learnt.")
            .only(LLM)
            .more(
                "`response`: answers and their end-of-turn tokens; `all`: everything; `auto`: `all`"
                    + " for `text`, else `response`."),
        path("chat_template", "How conversations become text, for bases that do not say.")
            .only(LLM)
            .shown("the base's own")
            .mark(Mark.SAME_CONTENT)
            .such("chatml")
            .more(
                "A file of Jinja, or one of chatml, gemma, llama3, mistral, phi3, zephyr; it stands"
                    + " in for a base's own, and is written beside the adapter."),
        map("template_kwargs", "Variables of the chat template.")
            .only(LLM)
            .mark(Mark.SAME_VALUE)
            .such("{enable_thinking: false}")
            .more(
                "Those that it never reads are told. They are written into the template beside the"
                    + " adapter."),
        text("template_date", "", "The date that a chat template prints (Llama 3's do).")
            .only(LLM)
            .form(new Allowed.Form(Day::isOne, "a date such as 2026-03-31"))
            .shown("the start of the run")
            .such("2026-03-31")
            .mark(Mark.PLACE)
            .more(
                "`--resume` keeps the run's, and so does `generate` for an adapter in its run's"
                    + " folder."),
        whole("max_length", 1024, between(2, 1 << 20), "Tokens of an example.")
            .only(LLM)
            .more(
                "`text` data is split into examples of so many, longer conversations and"
                    + " completions are cut, and the log counts the tokens lost."),
        flag("packing", false, "Fill rows of `max_length` tokens with whole examples.")
            .only(LLM)
            .more("`batch_size` then counts rows."),
        flag("shuffle", true, "A new order each epoch; false keeps the data's order."));
  }

  private static Stream<Key> adapter() {
    return Stream.of(
        choice("lora_method", List.of("lora", "dora", "loha", "lokr"), "The kind of adapter.")
            .mark(Mark.LAYOUT)
            .more("See [kinds of adapters](adapters.md)."),
        whole(
                "lokr_factor",
                -1,
                minusOneOrBetween(1, 1 << 16),
                "Size of the first matrix of `lokr`.")
            .mark(Mark.LAYOUT)
            .more(
                "The sizes of a layer are taken apart into this number, or the largest below it"
                    + " that divides them, and the rest; -1: into two numbers as near to each other"
                    + " as can be."),
        choice(
                "lora_init",
                List.of("default", "gaussian", "pissa", "olora"),
                "How the matrices of `lora` begin.")
            .mark(Mark.LAYOUT)
            .more(
                "As PEFT's `init_lora_weights`, see [start and"
                    + " rates](adapters.md#start-and-rates)."),
        number("lora_plus_ratio", 1, POSITIVE, "Learning rate of B, relative to A's (LoRA+).")
            .mark(Mark.LAYOUT)
            .such("16")
            .more(
                "A learns at `learning_rate`. Of `lora` and `dora`, whose lengths learn as B"
                    + " does."),
        whole("lora_rank", 8, between(1, 4096), "The adapter's size.").mark(Mark.LAYOUT),
        number("lora_alpha", 0, POSITIVE, "The adapter's effect is scaled by alpha / rank.")
            .by(
                Default.derived(
                    earlier -> ((Number) earlier.get("lora_rank")).doubleValue(), "= `lora_rank`"))
            .such("16")
            .more(
                "The resulting scale is printed and logged, since tools' defaults differ by a"
                    + " factor of 32."),
        number("lora_dropout", 0, between(0, 0.99), "Dropout on the adapter's input."),
        targets(
                "lora_targets",
                new Default(
                    Default.Value.fixed(List.of(LoraTarget.named("all-linear"))),
                    Default.Value.fixed(List.of(LoraTarget.named("attention")))),
                "Which layers are adapted.")
            .mark(Mark.LAYOUT)
            .such("[q_proj, v_proj]")
            .more(
                "Names of layers, or groups: `all-linear` takes every linear layer but a language"
                    + " model's head; [groups](#adapter) of images, and entries with settings of"
                    + " their own."),
        text("blocks", "", "Which blocks of the model are adapted.")
            .form(
                Allowed.Form.matching(
                    "([0-9]{1,4}(-[0-9]{1,4})?(\\s*,\\s*(?=[0-9])|$))*",
                    "numbers and ranges such as 0,3,7-12"))
            .shown("all")
            .mark(Mark.LAYOUT)
            .such("7-20")
            .more(
                "Numbers and ranges from 0 on, such as `0,3,7-12`, in the order of"
                    + " `--block-weights` ([blocks](export.md)): layers in no block, such as text"
                    + " encoders, are then left out."),
        flag("use_rslora", false, "Scale by alpha / √rank instead."),
        list("modules_to_save", "What is trained as a whole, beside the adapter.")
            .only(LLM)
            .mark(Mark.LAYOUT)
            .such("[embed_tokens, lm_head]")
            .more(
                "`embed_tokens`, the embedding, and `lm_head`, the head; of a base that has one"
                    + " matrix for both either names it. See [new"
                    + " embeddings](adapters.md#new-embeddings)."),
        list("add_tokens", "Tokens that the base's tokenizer does not have yet.")
            .only(LLM)
            .mark(Mark.LAYOUT)
            .such("[\"<tool>\", \"</tool>\"]")
            .more(
                "Each stands for its text wherever that is written. They need `modules_to_save` for"
                    + " embedding and head, which get rows for them, and go into the tokenizer"
                    + " beside the adapter. See [new embeddings](adapters.md#new-embeddings)."),
        path("init_adapter", "Start from the weights of an adapter.")
            .such("output/first-run")
            .more(
                "Text: a PEFT adapter of the same rank and targets. Images: one of a rank up to the"
                    + " run's in any format: kohya's, diffusers' (old names too), PEFT's, ComfyUI's"
                    + " and OneTrainer's names; three-factor convolutions too. Its kind must be"
                    + " `lora_method`."));
  }

  private static Stream<Key> training() {
    return Stream.of(
        whole("batch_size", 4, between(1, 1 << 16), "Examples of a micro-batch."),
        whole("gradient_accumulation", 1, between(1, 1 << 16), "Micro-batches of a step.")
            .more("The loss is the mean over the labelled tokens of all of them."),
        whole("epochs", 1, between(1, 1 << 20), "How often everything is seen."),
        whole("max_steps", 0, from(0), "If set, the run's length, whatever `epochs` says.")
            .such("1000"),
        choice("optimizer", OptimizerDefaults.labels(), "How gradients become steps.")
            .mark(Mark.LAYOUT)
            .more("See [optimizers](#optimizers)."),
        number("learning_rate", 0, POSITIVE, "The highest learning rate of the run.")
            .by(
                new Default(
                    optimizers(o -> o.learningRate(false)), optimizers(o -> o.learningRate(true))))
            .such("2e-4")
            .more("The default is the optimizer's usual one, see [optimizers](#optimizers)."),
        choice(
                "lr_schedule",
                List.of(
                    "constant",
                    "constant_with_warmup",
                    "linear",
                    "cosine",
                    "cosine_with_restarts",
                    "polynomial",
                    "range_test"),
                "cosine",
                "How the learning rate changes over the run.")
            .by(new Default(optimizers(o -> o.lrSchedule()), optimizers(o -> o.lrSchedule())))
            .more(
                "As in Hugging Face's `get_scheduler`; the default is the optimizer's."
                    + " `range_test`: rises by the same factor each step from a ten-thousandth of"
                    + " `learning_rate` to it, to see where the loss stops falling (`lora-native"
                    + " tune` reads one for you)."),
        whole("warmup_steps", 0, from(0), "Steps in which the learning rate rises from 0.")
            .such("100"),
        whole("lr_cycles", 1, between(1, 1 << 16), "Cycles of `cosine_with_restarts`."),
        number("lr_power", 1, POSITIVE, "Exponent of `polynomial`."),
        number("weight_decay", 0, between(0, 1), "Decoupled: times the learning rate.")
            .images(0.01),
        number("adam_beta1", 0.9, between(0, 0.999999), "Decay of the mean of gradients."),
        number("adam_beta2", 0, between(0, 0.999999999), "Decay of the mean of their squares.")
            .by(new Default(optimizers(o -> o.beta2()), optimizers(o -> o.beta2())))
            .such("0.99")
            .more("The default is the optimizer's, see [optimizers](#optimizers)."),
        number("adam_epsilon", 1e-8, POSITIVE, "Added to the root of that mean."),
        number(
            "max_grad_norm",
            1,
            between(0, 1e9),
            "Gradients are scaled down to this norm; 0 for no clipping."),
        number(
                "ema_decay",
                0,
                between(0, 0.999999),
                "Keep an average of the adapter over steps, and measure, draw and export it.")
            .mark(Mark.LAYOUT)
            .such("0.999")
            .more(
                "After each step the average keeps this share of itself, and less in the first"
                    + " steps: min(`ema_decay`, n / (9 + n)) in step n, as diffusers' `EMAModel`."
                    + " 0: none. Checkpoints hold both."),
        large("seed", 42, "Of everything random.").mark(Mark.SAME_VALUE));
  }

  private static Stream<Key> machine() {
    return Stream.of(
        text("device", "auto", "What to compute on.")
            .form(Allowed.Form.matching(DeviceName.PATTERN, DeviceName.CHOICES))
            .more(
                "`auto`: an NVIDIA card if there is one and it computes small test steps as the CPU"
                    + " does (every kind of layer, head width and block type), else the CPU; the"
                    + " first line of a run says which. `cuda`: the first usable NVIDIA card from"
                    + " Ampere on; `cuda:1`: the second card; `cuda-emu`: the CUDA kernels on the"
                    + " CPU, for development. `lora-native devices` shows what there is."),
        choice("compute_dtype", List.of("f32", "bf16", "f16"), "Numbers of the computation.")
            .more(
                "`bf16` on cards, and on CPUs with AVX-512 BF16 or AMX: much faster, half the"
                    + " memory; adapters stay f32. `f16` on cards, with a loss scale that finds"
                    + " itself (a step whose gradients overflow is passed over): only where bf16 is"
                    + " not wanted."),
        choice("quantize", List.of("none", "nf4", "keep"), "How frozen matrices are held.")
            .more(
                "`nf4`: in 4 bits (QLoRA); `keep`: in the blocks or floats of 8 bits that the file has."),
        whole("threads", 0, between(0, 1024), "Threads of the CPU; 0: one for each physical core.")
            .more("Results are bit-equal for the same number."),
        text("memory_budget", "", "How much memory the run may take.")
            .form(
                new Allowed.Form(
                    b -> b.isEmpty() || ByteSize.parse(b).isPresent(),
                    "a size such as 6GB or 500MiB"))
            .shown("90 % of free memory")
            .such("6GB")
            .more(
                "The planner recomputes activations until the run fits, or refuses before step 1"
                    + " and says what would fit. It counts weights, adapters, optimizer, batches"
                    + " and the arena of training, validation and previews, and what encoding"
                    + " images takes before; Java's heap comes on top (`plan` says how much; a heap"
                    + " that is too small is refused before step 1) and some 100 MB for libraries."
                    + " \"Free\" is what the machine, its control groups (containers) and `ulimit`"
                    + " leave, less these two; within a control group, which ends who takes too"
                    + " much, all that the heap may have counts (a quarter of the limit, or what"
                    + " `java -Xmx…` says)."));
  }

  private static Stream<Key> results() {
    return Stream.of(
        path("output_dir", "The folder that takes results, checkpoints and logs.")
            .shown(NEEDED)
            .mark(Mark.PLACE)
            .such("output/my-run")
            .more(
                "A used one is refused without `--resume`, one that another process trains in"
                    + " always."),
        text("output_name", "lora", "The finished file is `output_dir/<output_name>.safetensors`.")
            .only(SD)
            .form(Allowed.Form.matching("[^/\\\\]+", "a file name without its folder"))
            .mark(Mark.PLACE)
            .such("my-style"),
        choice("export_format", List.of("kohya", "diffusers"), "Names in the finished file.")
            .only(SD)
            .more(
                "`diffusers`: names that `load_lora_weights` reads, text encoders too; alpha / rank"
                    + " is multiplied into B, so tools that look for no alpha apply it at the same"
                    + " strength."),
        whole("save_steps", 500, from(0), "Steps between checkpoints; 0 saves only at the end."),
        whole("keep_checkpoints", 2, from(1), "How many of the newest checkpoints stay."),
        whole("eval_steps", 0, from(0), "Steps between validations; there is one at the end.")
            .by(
                new Default(
                    new Default.Value(earlier -> 0, "= `save_steps`"),
                    new Default.Value(earlier -> 0, "twenty times a run")))
            .such("100"),
        whole(
                "early_stop",
                0,
                from(0),
                "Stop after so many measurements without a new lowest validation loss; 0: never.")
            .such("5"),
        choice(
                "on_divergence",
                List.of(TrainConfig.STOP, TrainConfig.ROLLBACK),
                "What to do where the loss or a gradient becomes NaN.")
            .more(
                "`rollback`: go back to the newest checkpoint from before, with half the learning"
                    + " rate; also where the doctor sees it diverge beyond doubt. Each time that"
                    + " the same trouble comes again it goes further back, as far as"
                    + " `keep_checkpoints` reaches, then to the beginning."),
        whole("max_rollbacks", 3, between(0, 100), "How often a run may go back."),
        whole("sample_steps", 0, from(0), "Steps between previews of `sample_prompts`; 0: none.")
            .more(
                "Answers are shown in TensorBoard's text tab, pictures among its images and in"
                    + " `samples/`."),
        list("sample_prompts", "What previews answer or draw.").such("[\"Who are you?\"]"),
        whole("sample_max_tokens", 64, between(1, 1 << 20), "The longest answer of a preview.")
            .only(LLM));
  }

  /** A default that the optimizer decides; shown is that of the first. */
  private static Default.Value optimizers(Function<OptimizerDefaults, Object> of) {
    return new Default.Value(
        earlier -> of.apply(OptimizerDefaults.of(String.valueOf(earlier.get("optimizer")))),
        Default.text(of.apply(OptimizerDefaults.ADAMW)));
  }
}
