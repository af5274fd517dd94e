package org.loranative.train.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.export.AdapterBase;
import org.loranative.export.AdapterSource;
import org.loranative.export.LanguageMerge;
import org.loranative.io.AtomicFolders;
import org.loranative.io.JsonFile;
import org.loranative.io.Safetensors;
import org.loranative.lora.PeftFormat;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Quantize;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.TinyModel;
import org.loranative.text.NewTokens;
import org.loranative.track.Console;
import org.loranative.train.StopSignal;
import org.loranative.train.machine.Machine;
import org.loranative.train.runs.TrainRun;

/** Embedding and head trained as a whole, and tokens that the base does not have. */
class NewEmbeddingsTest {
  private static final String EMBEDDING = "model.embed_tokens.weight";
  private static final String TIED = "modules_to_save=[embed_tokens]";
  private static final String BOTH = "modules_to_save=[embed_tokens, lm_head]";
  private static final String TOKENS = "add_tokens=[\"<up>\", \"<down>\"]";

  @TempDir private Path folder;
  private Path base;
  private Path run;

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    run = folder.resolve("run");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      String to = i % 2 == 0 ? "<up>" : "<down>";
      lines.add("{\"prompt\":\"what " + to + " is " + i + "? \",\"completion\":\"" + to + " it\"}");
    }
    Files.write(folder.resolve("train.jsonl"), lines);
  }

  /** A head of its own. */
  private void untie() throws IOException {
    Random r = new Random(2);
    float[] head = new float[380 * 64];
    for (int i = 0; i < head.length; i++) {
      head[i] = (float) r.nextGaussian() * 0.3f;
    }
    Path file = base.resolve("model.safetensors");
    TensorFiles more = TensorFiles.like(file).with("lm_head.weight", List.of(380L, 64L), head);
    more.write(folder.resolve("more.safetensors"));
    Files.move(
        folder.resolve("more.safetensors"),
        file,
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Path config = base.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"tie_word_embeddings\":true", "\"tie_word_embeddings\":false"));
  }

  private Path train(boolean resume, String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "base_model=" + base,
                "metadata_path=" + folder.resolve("train.jsonl"),
                "output_dir=" + run,
                "batch_size=2",
                "max_steps=4",
                "learning_rate=0.01",
                "lora_targets=[q_proj]",
                "save_steps=2",
                "keep_checkpoints=5",
                "threads=1",
                "device=cpu"));
    settings.addAll(List.of(more));
    try (TrainRun trained = new TrainRun(ConfigReader.read(Optional.empty(), settings))) {
      trained.train(
          resume,
          new Console(new PrintStream(OutputStream.nullOutputStream()), false),
          new StopSignal());
    }
    return run.resolve("adapter");
  }

  private static float[] tensor(Path file, String name) {
    return Safetensors.floats(Safetensors.read(file).tensors().get(name));
  }

  private static float[] saved(Path adapter, String module) {
    return tensor(
        adapter.resolve("adapter_model.safetensors"), "base_model.model." + module + ".weight");
  }

  private static Answers answers(Path base, Path... adapters) {
    return new Answers(
        base,
        Arrays.stream(adapters).map(a -> new AdapterSource(a, 1)).toList(),
        new Machine("cpu", "f32", 1, Quantize.NONE));
  }

  private static final int[] IDS = {5, 17, 300, 44, 5, 9, 121};

  private static float[] last(Answers of, int... ids) {
    return of.logits(ids)[ids.length - 1];
  }

  /** Both as PEFT has them; merged it is the same model, and the base alone stays the base. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void isUsedAsItWasTrained(boolean tied) throws IOException {
    if (!tied) {
      untie();
    }
    Path adapter = train(false, tied ? TIED : BOTH, "validation_fraction=0.3");
    JsonNode config = JsonFile.read(adapter.resolve("adapter_config.json"));
    assertThat(config.path("ensure_weight_tying").asBoolean()).isEqualTo(tied);
    assertThat(config.path("modules_to_save"))
        .extracting(JsonNode::asText)
        .containsExactlyElementsOf(
            tied ? List.of("embed_tokens") : List.of("embed_tokens", "lm_head"));
    float[] embedding = saved(adapter, "model.embed_tokens");
    float[] head = saved(adapter, "lm_head");
    float[] before = tensor(base.resolve("model.safetensors"), EMBEDDING);
    assertThat(embedding).isNotEqualTo(before);
    assertThat(Errors.relative(embedding, before)).isLessThan(0.3); // it began there
    assertThat(Arrays.equals(head, embedding)).isEqualTo(tied);

    Path merged = folder.resolve("merged");
    List<AdapterSource> sources = List.of(new AdapterSource(adapter, 1));
    new LanguageMerge(LlmBase.open(base), sources).write(merged, "source");
    assertThat(tensor(merged.resolve("model.safetensors"), EMBEDDING)).isEqualTo(embedding);
    Path gguf = folder.resolve("merged.gguf");
    new LanguageMerge(LlmBase.open(base), sources).write(gguf, "source");
    try (Answers with = answers(base, adapter);
        Answers alone = answers(base);
        Answers one = answers(merged);
        Answers other = answers(gguf)) {
      float[] expected = last(with, IDS);
      assertThat(Errors.relative(last(one, IDS), expected)).isLessThan(1e-5);
      assertThat(Errors.relative(last(other, IDS), expected)).isLessThan(1e-5);
      assertThat(Errors.relative(last(alone, IDS), expected)).isGreaterThan(1e-3);
      int[] prompt = {5, 17};
      assertThat(with.likeliest(prompt, 3)).isEqualTo(one.likeliest(prompt, 3));
    }
  }

  /** Whatever makes steps of gradients: a run that was stopped goes on to the bit. */
  @ParameterizedTest
  @CsvSource({
    "adamw, 0",
    "adamw, 0.9",
    "adamw8bit, 0",
    "lion, 0",
    "adafactor, 0",
    "came, 0",
    "prodigy, 0",
    "schedule_free_adamw, 0"
  })
  void resumesToTheBit(String optimizer, String decay) throws IOException {
    String[] settings = {TIED, TOKENS, "optimizer=" + optimizer, "ema_decay=" + decay};
    Path adapter = train(false, settings);
    byte[] whole = Files.readAllBytes(adapter.resolve("adapter_model.safetensors"));
    AtomicFolders.delete(run.resolve("checkpoint-4"));
    AtomicFolders.delete(adapter);
    train(true, settings);
    assertThat(Files.readAllBytes(adapter.resolve("adapter_model.safetensors"))).isEqualTo(whole);
    assertThatThrownBy(() -> train(true, "optimizer=" + optimizer, "ema_decay=" + decay))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("does not fit this configuration");
  }

  @Test
  void otherTokensAreNamedAtResume() throws IOException {
    train(false, TIED, TOKENS);
    assertThatThrownBy(() -> train(true, TIED, "add_tokens=[\"<up>\"]"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("add_tokens was [\"<up>\",\"<down>\"] and is [\"<up>\"]");
  }

  @Test
  void theirOrderMeansNothing() throws IOException {
    untie();
    Path adapter = train(false, BOTH);
    byte[] whole = Files.readAllBytes(adapter.resolve("adapter_model.safetensors"));
    AtomicFolders.delete(run.resolve("checkpoint-4"));
    AtomicFolders.delete(adapter);
    train(true, "modules_to_save=[lm_head, embed_tokens]");
    assertThat(Files.readAllBytes(adapter.resolve("adapter_model.safetensors"))).isEqualTo(whole);
  }

  @Test
  void aRunBeginsWithIt() throws IOException {
    float[] trained = saved(train(false, TIED), "model.embed_tokens");
    Path first = run;
    run = folder.resolve("second");
    float[] next =
        saved(
            train(
                false,
                TIED,
                "init_adapter=" + first.resolve("adapter"),
                "max_steps=1",
                "learning_rate=1e-12"),
            "model.embed_tokens");
    assertThat(Errors.relative(next, trained)).isLessThan(1e-6);
    run = folder.resolve("third");
    assertThatThrownBy(() -> train(false, "init_adapter=" + first.resolve("adapter")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("modules_to_save do not name, such as model.embed_tokens");
  }

  /** Rows begin near the mean of the others; the tokenizer beside the adapter has the tokens. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void tokensAreAdded(boolean tied) throws IOException {
    if (!tied) {
      untie();
    }
    String modules = tied ? TIED : BOTH;
    Path adapter = train(false, modules, TOKENS);
    assertThat(saved(adapter, "model.embed_tokens")).hasSize(382 * 64);
    assertThat(saved(adapter, "lm_head")).hasSize(382 * 64);
    float[] frozen = tensor(base.resolve("model.safetensors"), EMBEDDING);
    float[] fresh = start(modules);
    for (int c = 0; c < 64; c++) {
      double mean = 0;
      for (int row = 0; row < 380; row++) {
        mean += frozen[row * 64 + c] / 380.0;
      }
      for (int row = 380; row < 382; row++) {
        assertThat((double) fresh[row * 64 + c])
            .isCloseTo(mean, org.assertj.core.data.Offset.offset(1e-4));
      }
    }
    assertThat(Arrays.copyOfRange(fresh, 380 * 64, 381 * 64))
        .isNotEqualTo(Arrays.copyOfRange(fresh, 381 * 64, 382 * 64));

    Path merged = folder.resolve("merged");
    List<AdapterSource> sources = List.of(new AdapterSource(adapter, 1));
    LlmBase grown = LlmBase.open(base, List.of(adapter));
    new LanguageMerge(grown, sources).write(merged, "source");
    assertThat(JsonFile.read(merged.resolve("config.json")).path("vocab_size").asInt())
        .isEqualTo(382);
    try (Answers with = answers(base, adapter);
        Answers one = answers(merged)) {
      assertThat(with.tokenizer().encode("a<down><up>", false).ids()).endsWith(381, 380);
      assertThat(one.tokenizer().encode("a<down><up>", false).ids()).endsWith(381, 380);
      assertThat(with.tokenizer().decode(new int[] {381, 380})).isEqualTo("<down><up>");
      int[] ids = {5, 381, 44, 380};
      float[] expected = last(with, ids);
      assertThat(expected).hasSize(382);
      assertThat(Errors.relative(last(one, ids), expected)).isLessThan(1e-5);
    }
    assertThatThrownBy(
            () -> new LanguageMerge(grown, sources).write(folder.resolve("x.gguf"), "source"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("The adapter adds tokens (\"<up>\", \"<down>\")");
  }

  /** Rows are tokens' by their order: others in their place would be trained further unseen. */
  @Test
  void aRunBeginsWithTheSameTokens() throws IOException {
    Path first = train(false, TIED, TOKENS);
    run = folder.resolve("second");
    String init = "init_adapter=" + first;
    assertRefused(
        "has rows for the added tokens [\"<up>\", \"<down>\"], but add_tokens is [\"<down>\","
            + " \"<up>\"]",
        TIED,
        "add_tokens=[\"<down>\", \"<up>\"]",
        init);
    train(false, TIED, TOKENS, init);
  }

  /** PEFT 0.21 saves a resized embedding three times. */
  @Test
  void whatPeftSavesOfAResizedEmbeddingIsRead() throws IOException {
    Path adapter = train(false, TIED, TOKENS);
    float[] trained = saved(adapter, "model.embed_tokens");
    Path file = adapter.resolve("adapter_model.safetensors");
    TensorFiles peft = TensorFiles.like(file);
    for (String module : List.of("model.embed_tokens", "lm_head")) {
      String name = "base_model.model." + module;
      peft =
          peft.with(name + ".modules_to_save.weight", List.of(382L, 64L), trained)
              .with(name + ".original_module.weight", List.of(382L, 64L), new float[382 * 64]);
    }
    peft.write(folder.resolve("peft.safetensors"));
    Files.move(
        folder.resolve("peft.safetensors"),
        file,
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    try (Answers with = answers(base, adapter)) {
      assertThat(last(with, new int[] {5, 381})).hasSize(382);
    }
    assertThat(PeftFormat.read(adapter, LlmBase.open(base, List.of(adapter)).adaptable()))
        .containsKey("model.embed_tokens");
  }

  /** Experts that a file holds turned are arranged once, however many tokens a base is given. */
  @Test
  void mixturesTakeNewTokens() throws IOException {
    Path mixture =
        TensorFiles.copy(Golden.FOLDER.resolve("gpt-oss-experts/base"), folder.resolve("mixture"));
    Files.copy(base.resolve("tokenizer.json"), mixture.resolve("tokenizer.json"));
    LlmBase grown = LlmBase.open(mixture).adding(new NewTokens(List.of("<up>")));
    assertThat(grown.targets()).isEqualTo(LlmBase.open(mixture).targets());
    assertThat(grown.config().vocab()).isEqualTo(381);
  }

  /** Of a table that no adapter holds, rows for new tokens would be lost. */
  @Test
  void embeddingsOfLayersTakeNoNewTokens() throws IOException {
    Path gemma = TensorFiles.copy(Golden.FOLDER.resolve("gemma4/base"), folder.resolve("gemma"));
    Files.copy(base.resolve("tokenizer.json"), gemma.resolve("tokenizer.json"));
    LlmBase layered = LlmBase.open(gemma);
    assertThatThrownBy(() -> layered.adding(new NewTokens(List.of("<up>"))))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("add_tokens: " + gemma + " has an embedding for each layer")
        .hasMessageEndingWith("train without add_tokens.");
  }

  /** What a run begins with, whose first step is too small to move anything. */
  private float[] start(String modules) throws IOException {
    run = folder.resolve("start");
    float[] begun =
        saved(
            train(false, modules, TOKENS, "max_steps=1", "learning_rate=1e-12"),
            "model.embed_tokens");
    run = folder.resolve("run");
    return begun;
  }

  @Test
  void refusesWhatItCannotDo() throws IOException {
    assertRefused("\"q_proj\" cannot be trained as a whole", "modules_to_save=[q_proj]");
    assertRefused("modules_to_save: [embed_tokens].", TOKENS);
    assertRefused("is a token of", TIED, "add_tokens=[\"<|im_end|>\"]");
    assertRefused("is named twice", TIED, "add_tokens=[x1, x1]");
    untie();
    assertRefused("modules_to_save: [embed_tokens, lm_head].", TOKENS, TIED);
    Path adapter = train(false, BOTH);
    LlmBase language = LlmBase.open(base);
    AdapterBase of = new AdapterBase.Language(language);
    for (double scale : new double[] {0.5, -1}) {
      assertThatThrownBy(() -> AdapterSource.mix(List.of(new AdapterSource(adapter, scale)), of))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("trained as a whole, which cannot be scaled by " + scale);
    }
    assertThatThrownBy(
            () ->
                AdapterSource.mix(
                    List.of(new AdapterSource(adapter, 1), new AdapterSource(adapter, 1)), of))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("cannot be mixed with another on one layer");
    assertThatThrownBy(
            () -> of.write("gguf", Optional.empty(), of.read(adapter), folder.resolve("a.gguf")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("merge it into its base instead");
    Path again = folder.resolve("again");
    of.write("peft", Optional.of(adapter), of.read(adapter), again);
    assertThat(saved(again, "lm_head")).isEqualTo(saved(adapter, "lm_head"));
  }

  private void assertRefused(String message, String... settings) {
    assertThatThrownBy(() -> train(false, settings))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(message);
  }
}
