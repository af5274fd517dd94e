package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Gguf;
import org.loranative.io.GgufMetadata;
import org.loranative.io.GgufWriter;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Mix;
import org.loranative.lora.PeftFormat;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.weights.Quantize;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.TinyModel;

/**
 * A merged model predicts what base and adapter predict together: as a folder, as a GGUF made of
 * it, and as a folder made of that.
 */
class LanguageMergeTest {
  private static final int TOKENS = 20;
  private static CpuDevice cpu;

  @TempDir Path folder;

  @BeforeAll
  static void open() {
    cpu = new CpuDevice(1);
  }

  @AfterAll
  static void close() {
    cpu.close();
  }

  /** A model of the golden files with a tokenizer, which they do without. */
  private Path withTokenizer(String model) throws Exception {
    Path base = TensorFiles.copy(Golden.FOLDER.resolve(model).resolve("base"), folder.resolve("b"));
    Files.writeString(
        base.resolve("tokenizer.json"),
        """
        {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
         "added_tokens": [{"id": 3, "content": "<e>", "single_word": false, "lstrip": false,
           "rstrip": false, "normalized": false, "special": true}],
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
           "use_regex": true},
         "post_processor": null, "decoder": {"type": "ByteLevel", "add_prefix_space": true,
           "trim_offsets": true, "use_regex": true},
         "model": {"type": "BPE", "dropout": null, "unk_token": null,
           "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
           "byte_fallback": false, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}}
        """);
    // GGUF does not say it: readers take the heads' width.
    Path config = base.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"query_pre_attn_scalar\": 12", "\"query_pre_attn_scalar\": 16"));
    Files.writeString(base.resolve("tokenizer_config.json"), "{\"eos_token\":\"<e>\"}");
    return base;
  }

  private float[] logits(LlmBase base, List<Mix.Part> parts) {
    Mix mix = Mix.of(base.targets(), parts);
    int vocabulary = base.config().vocab();
    int[] ids = new int[TOKENS];
    int[] positions = new int[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
      ids[i] = (7 * i * i + 3) % vocabulary;
      positions[i] = i;
    }
    Graph graph = LlmGraph.logits(base, mix.adapters(), DType.F32, TOKENS, TOKENS);
    try (PlacedModel placed =
        new PlacedModel(cpu, base.weights(), mix.adapters(), base.constants(), graph)) {
      placed.state().write(AdapterState.PARAMS, mix.params());
      return placed
          .run(
              graph,
              Map.of(
                  LlmGraph.IDS,
                  ids,
                  LlmGraph.POSITIONS,
                  positions,
                  LlmGraph.DOC_START,
                  new int[TOKENS]),
              1,
              1)
          .values()
          .iterator()
          .next();
    }
  }

  private float[] logits(Path model) {
    return logits(LlmBase.open(model), List.of());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama",
        "llama-linear",
        "mistral",
        "qwen2",
        "qwen3",
        "gemma2",
        "gemma3",
        "gemma4",
        "gemma4-large",
        "phi3",
        "phi3-long",
        "smollm3",
        "phi4-mini",
        "granite",
        "olmo2",
        "olmo3",
        "glm",
        "glm4",
        "qwen3-5",
        "qwen3-5-turns",
        "ministral3"
      })
  void familiesInEveryForm(String model) throws Exception {
    Path base = withTokenizer(model);
    Path adapter = Golden.FOLDER.resolve(model).resolve("adapter");
    LlmBase opened = LlmBase.open(base);
    float[] expected = both(opened, adapter, 0.7);
    AdapterSource source = new AdapterSource(adapter, 0.7);

    Path merged = folder.resolve("merged");
    new LanguageMerge(opened, List.of(source)).write(merged, "source");
    assertThat(Errors.relative(logits(merged), expected)).isLessThan(1e-5);

    Path gguf = folder.resolve("merged.gguf");
    new LanguageMerge(opened, List.of(source)).write(gguf, "f32");
    assertThat(Errors.relative(logits(gguf), expected)).isLessThan(1e-5);

    Path back = folder.resolve("back");
    new LanguageMerge(LlmBase.open(gguf), List.of()).write(back, "f32");
    assertThat(Errors.relative(logits(back), expected)).isLessThan(1e-5);
  }

  private float[] both(LlmBase base, Path adapter, double scale) {
    Map<String, AdaptedLayer> layers = LanguageAdapters.read(adapter, base);
    return logits(base, List.of(new Mix.Part(layers, scale)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dora", "loha", "lokr", "lokr-full"})
  void everyKindOfAdapter(String kind) throws Exception {
    Path base = withTokenizer("llama");
    Path adapter = adapter(kind);
    LlmBase opened = LlmBase.open(base);
    Path merged = folder.resolve("merged");
    new LanguageMerge(opened, List.of(new AdapterSource(adapter, 1))).write(merged, "source");
    float[] expected = both(opened, adapter, 1);
    assertThat(Errors.relative(logits(merged), expected)).isLessThan(1e-5);
    assertThat(Errors.relative(logits(base), expected)).isGreaterThan(1e-3); // it does something
  }

  private static Path adapter(String kind) {
    return Golden.FOLDER.resolve("adapters").resolve(kind).resolve("final");
  }

  @ParameterizedTest
  @CsvSource({
    "gemma3-vision, f32",
    "gemma4-vision, f32",
    "qwen2-vision, f32",
    "qwen3-vision, f32",
    "qwen3-5-vision, f32",
    "ministral3-vision, f32"
  })
  void aLanguageModelInsideAnother(String model, String type) throws Exception {
    Path base = withTokenizer(model);
    LlmBase opened = LlmBase.open(base);
    Path adapter = Golden.FOLDER.resolve(model).resolve("adapter");
    float[] expected = both(opened, adapter, 1);
    List<AdapterSource> sources = List.of(new AdapterSource(adapter, 1));
    Path merged = folder.resolve("merged");
    new LanguageMerge(opened, sources).write(merged, "source");
    assertThat(Errors.relative(logits(merged), expected)).isLessThan(1e-5);
    // The tower is there as it was.
    assertThat(Safetensors.readFolder(merged, "model").tensors().keySet())
        .isEqualTo(opened.file().tensors().keySet());
    Path gguf = folder.resolve("merged.gguf");
    new LanguageMerge(opened, sources).write(gguf, type);
    assertThat(Errors.relative(logits(gguf), expected)).isLessThan(1e-5);
  }

  /** Experts in tensors of their own, all in one, gate and up apart. */
  @ParameterizedTest
  @CsvSource({
    "qwen3-moe/base, merged",
    "qwen3-moe/fused, merged",
    "qwen3-moe/base.gguf, m.gguf",
    "qwen3-moe-mixed/base, merged",
    "gemma4-moe/base, merged",
    "gemma4-moe/base.gguf, m.gguf",
    "qwen3-5-moe-turns/base, merged",
    "qwen3-5-moe-turns/base.gguf, m.gguf",
    "qwen3-next-turns/base, merged",
    "qwen3-next-turns/base.gguf, m.gguf",
    "gpt-oss/base, merged"
  })
  void expertsTakeTheirAdapters(String model, String out) throws Exception {
    LlmBase opened = LlmBase.open(Golden.FOLDER.resolve(model));
    Path adapter = expertAdapter(opened);
    Path merged = folder.resolve(out);
    new LanguageMerge(opened, List.of(new AdapterSource(adapter, 1))).write(merged, "source");
    float[] expected = both(opened, adapter, 1);
    assertThat(Errors.relative(logits(merged), expected)).isLessThan(1e-5);
    assertThat(Errors.relative(logits(opened, List.of()), expected)).isGreaterThan(1e-2);
  }

  /** Trained on as they are, and merged into wider numbers: the scales are gone. */
  @ParameterizedTest
  @ValueSource(strings = {"fp8/base", "fp8/mixture"})
  void floatsOf8BitsTakeTheirAdapters(String model) throws Exception {
    LlmBase opened = LlmBase.open(Golden.FOLDER.resolve(model));
    opened.quantize(Quantize.KEEP);
    Path adapter = expertAdapter(opened);
    float[] expected = both(opened, adapter, 1);
    for (String type : List.of("source", "f32")) {
      Path merged = folder.resolve(type);
      new LanguageMerge(opened, List.of(new AdapterSource(adapter, 1))).write(merged, type);
      assertThat(Errors.relative(logits(merged), expected))
          .isLessThan(type.equals("f32") ? 1e-5 : 2e-2);
      assertThat(Files.readString(merged.resolve("config.json")))
          .doesNotContain("quantization_config");
    }
  }

  /** Numbers packed in 4 bits are copied, and what would change them is refused. */
  @ParameterizedTest
  @CsvSource({"gpt-oss/packed, merged", "gpt-oss/base.gguf, m.gguf"})
  void packedExpertsStay(String model, String out) throws Exception {
    LlmBase opened = LlmBase.open(Golden.FOLDER.resolve(model));
    Path adapter = Golden.FOLDER.resolve("gpt-oss/adapter");
    Path merged = folder.resolve(out);
    new LanguageMerge(opened, List.of(new AdapterSource(adapter, 1))).write(merged, "source");
    float[] expected = both(opened, adapter, 1);
    LlmBase again = LlmBase.open(merged);
    assertThat(Errors.relative(logits(merged), expected)).isLessThan(1e-5);
    String down = "model.layers.1.mlp.experts.down_proj.weight";
    assertThat(again.weights().entry(down).type()).isEqualTo("MXFP4");
    if (!opened.isGguf()) {
      AdapterSource ofExperts = new AdapterSource(expertAdapter(opened), 1);
      assertThatThrownBy(
              () ->
                  new LanguageMerge(opened, List.of(ofExperts))
                      .write(folder.resolve("other"), "source"))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("is packed as MXFP4");
    }
  }

  @ParameterizedTest
  @CsvSource({"bf16, 2e-2", "f16, 3e-3", "q8_0, 8e-2"})
  void otherTypes(String type, double bound) throws Exception {
    Path base = TinyModel.write(folder.resolve("tiny"));
    Path gguf = folder.resolve("x.gguf");
    new LanguageMerge(LlmBase.open(base), List.of()).write(gguf, type);
    float[] expected = logits(base);
    double error = Errors.relative(logits(gguf), expected);
    assertThat(error).isBetween(1e-6, bound);
    // A model of such blocks keeps them, and what is not to be changed to the byte.
    Path again = folder.resolve("y.gguf");
    new LanguageMerge(LlmBase.open(gguf), List.of()).write(again, "source");
    assertThat(Files.mismatch(gguf, again)).isEqualTo(-1);
  }

  @Test
  void matricesStayInTheirBlocks() throws Exception {
    Path base = TinyModel.write(folder.resolve("tiny"));
    Path blocks = folder.resolve("blocks.gguf");
    Path gguf = folder.resolve("x.gguf");
    new LanguageMerge(LlmBase.open(base), List.of()).write(gguf, "f32");
    requantize(gguf, blocks, DType.Q5_0);
    LlmBase opened = LlmBase.open(blocks);
    Path adapter = adapterOf(opened, 0.5f);
    Path merged = folder.resolve("merged.gguf");
    new LanguageMerge(opened, List.of(new AdapterSource(adapter, 1))).write(merged, "source");
    Map<String, TensorEntry> tensors = Gguf.read(merged).tensors();
    assertThat(tensors.get("blk.0.attn_q.weight").type()).isEqualTo("Q5_0");
    assertThat(Errors.relative(logits(merged), both(opened, adapter, 1))).isLessThan(0.35);
    assertThat(Errors.relative(logits(blocks), both(opened, adapter, 1))).isGreaterThan(0.6);
  }

  /**
   * Value heads of recurrent layers stand otherwise in a GGUF, and so do columns of one matrix: its
   * blocks of 32 move as they are, of blocks of 256 the numbers do.
   */
  @ParameterizedTest
  @CsvSource({
    "qwen3-5-turns, Q8_0, Q8_0",
    "qwen3-5-turns, Q5_0, Q5_0",
    "qwen3-5-turns, Q4_K, F32",
    "qwen3-next-turns, Q8_0, Q8_0",
    "qwen3-next-turns, Q6_K, Q6_K"
  })
  void headsInAnotherOrderStayInBlocks(String model, DType type, DType held) throws Exception {
    Path gguf = Golden.FOLDER.resolve(model).resolve("base.gguf");
    Path blocks = folder.resolve("blocks.gguf");
    requantize(gguf, blocks, type);
    LlmBase numbers = LlmBase.open(blocks);
    float[] expected = logits(numbers, List.of());
    assertThat(Errors.relative(expected, logits(gguf))).isBetween(1e-4, 0.5);
    LlmBase kept = LlmBase.open(blocks);
    kept.quantize(Quantize.KEEP);
    String out = "model.layers.0.linear_attn.out_proj.weight";
    assertThat(kept.weights().matrixType(out, DType.F32)).isEqualTo(held);
    assertThat(Errors.relative(logits(kept, List.of()), expected)).isLessThan(1e-5);
    numbers.quantize(Quantize.NF4);
    assertThat(Errors.relative(logits(numbers, List.of()), expected)).isBetween(1e-3, 1.5);
  }

  /** What llama.cpp's convert_lora_to_gguf.py makes of the same adapter, number by number. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen3-5-turns", "qwen3-5-moe-turns"})
  void adaptersAreInLlamaCppsOrder(String model) throws Exception {
    Path golden = Golden.FOLDER.resolve(model);
    Map<String, TensorEntry> theirs = Gguf.read(golden.resolve("adapter.gguf")).tensors();
    for (String from : List.of("base", "base.gguf")) {
      LlmBase base = LlmBase.open(golden.resolve(from));
      Map<String, AdaptedLayer> layers = LanguageAdapters.read(golden.resolve("adapter"), base);
      Path file = folder.resolve("of-" + from + ".gguf");
      GgufAdapter.write(base, layers, file);
      Map<String, TensorEntry> ours = Gguf.read(file).tensors();
      assertThat(ours.keySet()).isEqualTo(theirs.keySet());
      ours.forEach(
          (name, entry) ->
              assertThat(Safetensors.floats(entry))
                  .as(name)
                  .isEqualTo(Safetensors.floats(theirs.get(name))));
      Map<String, AdaptedLayer> read = LanguageAdapters.read(golden.resolve("adapter.gguf"), base);
      layers.forEach(
          (path, layer) -> {
            AdaptedLayer.LowRank was = layer.lowRank().orElseThrow();
            assertThat(read.get(path).lowRank().orElseThrow().a()).isEqualTo(was.a());
            assertThat(read.get(path).lowRank().orElseThrow().b()).isEqualTo(was.b());
          });
    }
  }

  /** One projection of a folder that is two of a GGUF, or one as in files of 2025. */
  @Test
  void aSplitProjectionsAdapter() throws Exception {
    Path golden = Golden.FOLDER.resolve("qwen3-next-turns");
    LlmBase base = LlmBase.open(golden.resolve("base.gguf"));
    Map<String, AdaptedLayer> layers = LanguageAdapters.read(golden.resolve("adapter"), base);
    Path file = folder.resolve("adapter.gguf");
    GgufAdapter.write(base, layers, file);
    assertThat(Gguf.read(file).tensors()).containsKey("blk.0.attn_gate.weight.lora_b");
    float[] expected = both(base, golden.resolve("adapter"), 1);
    assertThat(Errors.relative(both(base, file, 1), expected)).isZero();
    assertThat(Errors.relative(both(LlmBase.open(golden.resolve("base")), file, 1), expected))
        .isLessThan(1e-5);
    LlmBase together = LlmBase.open(together(base, golden.resolve("base.gguf")));
    assertThat(Errors.relative(both(together, golden.resolve("adapter"), 1), expected))
        .isLessThan(1e-5);
    Path other = folder.resolve("other.gguf");
    GgufAdapter.write(together, layers, other);
    assertThat(Gguf.read(other).tensors()).containsKey("blk.0.ssm_in.weight.lora_b");
    assertThat(Errors.relative(both(together, other, 1), expected)).isLessThan(1e-5);
    assertThatThrownBy(() -> LanguageAdapters.read(other, base))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("belongs to no layer");
  }

  /** A GGUF whose projections of recurrent layers are one, as the folder has them. */
  private Path together(LlmBase base, Path gguf) throws Exception {
    Path file = folder.resolve("together.gguf");
    LlmBase inFolder = LlmBase.open(Golden.FOLDER.resolve("qwen3-next-turns/base"));
    List<TensorStream> tensors = new ArrayList<>();
    try (MergedTensors same = new MergedTensors(base.weights(), Map.of())) {
      for (TensorEntry e : base.file().tensors().values()) {
        if (e.name().endsWith("attn_qkv.weight")) {
          String layer = e.name().substring("blk.".length(), e.name().lastIndexOf(".attn_qkv"));
          TensorEntry whole =
              inFolder
                  .weights()
                  .entry("model.layers." + layer + ".linear_attn.in_proj_qkvz.weight");
          tensors.add(
              TensorStream.f32(
                  "blk." + layer + ".ssm_in.weight", whole.shape(), Safetensors.floats(whole)));
        } else if (!e.name().endsWith("attn_gate.weight")) {
          tensors.add(same.stream(e, e.name(), Optional.of(DType.F32), Form.SAME));
        }
      }
      GgufWriter.write(file, Gguf.metadata(gguf), tensors);
    }
    return file;
  }

  static void requantize(Path from, Path to, DType type) throws Exception {
    LlmBase base = LlmBase.open(from);
    List<TensorStream> tensors = new ArrayList<>();
    try (MergedTensors same = new MergedTensors(base.weights(), Map.of())) {
      for (TensorEntry e : base.file().tensors().values()) {
        boolean matrix = e.shape().size() > 1 && e.columns() % type.elementsPerBlock == 0;
        DType chosen = matrix ? type : DType.F32;
        tensors.add(same.stream(e, e.name(), Optional.of(chosen), Form.SAME));
      }
      GgufMetadata metadata = Gguf.metadata(from);
      GgufWriter.write(to, metadata, tensors);
    }
  }

  /** Random LoRA on experts and queries, as a PEFT folder. */
  private Path expertAdapter(LlmBase base) throws Exception {
    Map<String, AdaptedLayer> layers = new TreeMap<>();
    Random random = new Random(4);
    for (Adapters.Target t : base.targets()) {
      if (t.experts() > 0 || t.path().endsWith("q_proj") || t.path().contains("linear_attn")) {
        int matrices = Math.max(1, t.experts());
        float[] a = new float[(int) (matrices * 3 * t.in())];
        float[] b = new float[(int) (matrices * 3 * t.out())];
        for (float[] x : List.of(a, b)) {
          for (int i = 0; i < x.length; i++) {
            x[i] = 0.2f * (float) random.nextGaussian();
          }
        }
        layers.put(t.path(), AdaptedLayer.lowRank(t, 6, new AdaptedLayer.LowRank(3, a, b)));
      }
    }
    Path adapter = Files.createDirectory(folder.resolve("experts"));
    PeftFormat.write(adapter, layers, base.targetsAndOthers(), "base");
    Map<String, AdaptedLayer> read = PeftFormat.read(adapter, base.targets());
    assertThat(read.keySet()).isEqualTo(layers.keySet());
    layers.forEach(
        (path, layer) -> {
          assertThat(read.get(path).lowRank().orElseThrow().a())
              .isEqualTo(layer.lowRank().orElseThrow().a());
          assertThat(read.get(path).lowRank().orElseThrow().b())
              .isEqualTo(layer.lowRank().orElseThrow().b());
        });
    return adapter;
  }

  /** Random LoRA on every layer, in llama.cpp's format. */
  private Path adapterOf(LlmBase base, float size) throws Exception {
    Map<String, AdaptedLayer> layers = new TreeMap<>();
    Random random = new Random(3);
    base.targets()
        .forEach(
            t -> {
              float[] a = new float[(int) (3 * t.in())];
              float[] b = new float[(int) (3 * t.out())];
              for (int i = 0; i < a.length; i++) {
                a[i] = size * (float) random.nextGaussian();
              }
              for (int i = 0; i < b.length; i++) {
                b[i] = 0.1f * size * (float) random.nextGaussian();
              }
              layers.put(t.path(), AdaptedLayer.lowRank(t, 6, new AdaptedLayer.LowRank(3, a, b)));
            });
    Path file = folder.resolve("adapter.gguf");
    GgufAdapter.write(base, layers, file);
    // What was written is what is read, rows of rotary halves in order.
    Map<String, AdaptedLayer> read = LanguageAdapters.read(file, base);
    assertThat(read.keySet()).isEqualTo(layers.keySet());
    layers.forEach(
        (path, layer) -> {
          AdaptedLayer.LowRank was = layer.lowRank().orElseThrow();
          AdaptedLayer.LowRank is = read.get(path).lowRank().orElseThrow();
          assertThat(is.a()).isEqualTo(was.a());
          assertThat(is.b()).isEqualTo(was.b());
          assertThat(read.get(path).alpha()).isEqualTo(6);
        });
    return file;
  }

  @Test
  void manyShards() throws Exception {
    Path base = TinyModel.write(folder.resolve("tiny"));
    LlmBase opened = LlmBase.open(base);
    Path sharded = TensorFiles.copy(base, folder.resolve("sharded"));
    Files.delete(sharded.resolve("model.safetensors"));
    try (MergedTensors same = new MergedTensors(opened.weights(), Map.of())) {
      ShardedFile.write(
          sharded,
          "model",
          opened.file().tensors().values().stream()
              .map(e -> same.stream(e, e.name(), Optional.of(DType.F32), Form.SAME))
              .toList(),
          60_000);
    }
    assertThat(sharded.resolve("model.safetensors.index.json")).exists();
    assertThat(logits(sharded)).isEqualTo(logits(base));
  }

  @Test
  void whatCannotBeWrittenIsSaid() throws Exception {
    Path base = TinyModel.write(folder.resolve("tiny"));
    LanguageMerge merge = new LanguageMerge(LlmBase.open(base), List.of());
    assertThatThrownBy(() -> merge.write(base, "source"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("exists already");
    assertThatThrownBy(() -> merge.write(folder.resolve("x"), "q8_0"))
        .hasMessageContaining("an --out that ends in .gguf");
    assertThatThrownBy(() -> merge.write(folder.resolve("x.gguf"), "q4"))
        .hasMessage("--type is q4, but must be source, f32, f16, bf16 or q8_0.");
    assertThatThrownBy(() -> merge.write(folder.resolve("no/x"), "source"))
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> merge.write(folder.resolve("x.safetensors"), "source"))
        .hasMessageContaining("as a folder or as a file that ends in .gguf");
    assertThatThrownBy(() -> AdapterSource.of(List.of(base), List.of(Double.NaN), List.of()))
        .hasMessageContaining("must be a finite number");
    assertThatThrownBy(() -> AdapterSource.of(List.of(base), List.of(1.0, 2.0), List.of()))
        .hasMessageContaining("more --scale than --adapter");
    assertThat(folder.resolve("x")).doesNotExist();
  }
}
