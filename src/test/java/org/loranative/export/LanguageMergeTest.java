package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.Gguf;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.PeftFormat;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Quantize;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.TinyModel;

/**
 * A merged model predicts what base and adapter predict together: as a folder, as a GGUF made of
 * it, and as a folder made of that.
 */
class LanguageMergeTest extends Predicting {
  @TempDir Path folder;

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
    "qwen2-moe/base, merged",
    "qwen2-moe/base.gguf, m.gguf",
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

  /** Numbers packed in 4 bits are copied; those that change are bf16 in a GGUF, else refused. */
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
    Path experts = expertAdapter(opened);
    AdapterSource ofExperts = new AdapterSource(experts, 1);
    if (opened.isGguf()) {
      Path other = folder.resolve("other.gguf");
      new LanguageMerge(opened, List.of(ofExperts)).write(other, "source");
      assertThat(Errors.relative(logits(other), both(opened, experts, 1))).isBetween(1e-5, 2e-2);
      assertThat(Gguf.read(other).tensors().get("blk.0.ffn_up_exps.weight").type())
          .isEqualTo("BF16");
    } else {
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
