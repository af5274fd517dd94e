package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.io.AtomicFolders;
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

/** Merging into mixtures, whose experts lie otherwise in each kind of file. */
class MixtureMergeTest extends Predicting {
  @TempDir Path folder;

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
    Path adapter = adapter(opened);
    Path merged = folder.resolve(out);
    new LanguageMerge(opened, List.of(new AdapterSource(adapter, 1))).write(merged, "source");
    float[] expected = both(opened, adapter, 1);
    assertThat(Errors.relative(logits(merged), expected)).isLessThan(1e-5);
    assertThat(Errors.relative(logits(opened, List.of()), expected)).isGreaterThan(1e-2);
  }

  /** Trained on as they are, and merged into wider numbers: the scales are gone. */
  @ParameterizedTest
  @ValueSource(strings = {"base", "mixture"})
  void floatsOf8BitsTakeTheirAdapters(String form) throws Exception {
    LlmBase opened = LlmBase.open(withTokenizer("fp8", form));
    opened.quantize(Quantize.KEEP);
    Path adapter = adapter(opened);
    float[] expected = both(opened, adapter, 1);
    for (String type : List.of("source", "f32")) {
      for (String out : List.of(type, type + ".gguf")) {
        Path merged = folder.resolve(out);
        new LanguageMerge(opened, List.of(new AdapterSource(adapter, 1))).write(merged, type);
        assertThat(Errors.relative(logits(merged), expected))
            .isLessThan(type.equals("f32") ? 1e-5 : 2e-2);
      }
      assertThat(Files.readString(folder.resolve(type).resolve("config.json")))
          .doesNotContain("quantization_config");
    }
  }

  /** From a folder to a GGUF, and from that to a folder. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen2-moe",
        "qwen3-moe",
        "mixtral",
        "olmoe",
        "glm4-moe",
        "gemma4-moe",
        "gpt-oss",
        "qwen3-5-moe-turns",
        "qwen3-next-turns"
      })
  void everyForm(String model) throws Exception {
    LlmBase opened = LlmBase.open(withTokenizer(model, folder));
    Path adapter = adapter(opened);
    float[] expected = both(opened, adapter, 0.7);
    AdapterSource source = new AdapterSource(adapter, 0.7);
    Path gguf = folder.resolve("merged.gguf");
    new LanguageMerge(opened, List.of(source)).write(gguf, "f32");
    assertThat(Errors.relative(logits(gguf), expected)).isLessThan(1e-5);
    Path back = folder.resolve("back");
    new LanguageMerge(LlmBase.open(gguf), List.of()).write(back, "f32");
    assertThat(Errors.relative(logits(back), expected)).isLessThan(1e-5);
    assertThat(Safetensors.readFolder(back, "model").tensors().keySet())
        .isEqualTo(opened.file().tensors().keySet());
  }

  /** llama.cpp weighs the experts of such a mixture so that they come to one. */
  @Test
  void expertsThatGgufCannotSayAreNamed() throws Exception {
    Path base = withTokenizer("qwen3-moe", folder);
    Path config = base.resolve("config.json");
    String text = Files.readString(config);
    String changed = text.replace("\"norm_topk_prob\": true", "\"norm_topk_prob\": false");
    assertThat(changed).isNotEqualTo(text);
    Files.writeString(config, changed);
    LanguageMerge merge = new LanguageMerge(LlmBase.open(base), List.of());
    assertThatThrownBy(() -> merge.write(folder.resolve("merged.gguf"), "f32"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("norm_topk_prob");
  }

  /** Bytes of a tensor. */
  private static byte[] bytes(TensorEntry entry) throws Exception {
    byte[] all = new byte[Math.toIntExact(entry.bytes())];
    Safetensors.data(entry).get(all);
    return all;
  }

  /** Tensor by tensor what a GGUF of the same model has. */
  @ParameterizedTest
  @CsvSource({
    "qwen2-moe, base",
    "qwen3-moe, base",
    "qwen3-moe, fused",
    "mixtral, base",
    "olmoe, base",
    "glm4-moe, base",
    "gemma4-moe, base",
    "gpt-oss, packed",
    "qwen3-5-moe-turns, base",
    "qwen3-next-turns, base"
  })
  void bytesAreLlamaCpps(String model, String form) throws Exception {
    Path base = withTokenizer(model, form);
    Path gguf = folder.resolve("same.gguf");
    new LanguageMerge(LlmBase.open(base), List.of()).write(gguf, "source");
    Map<String, TensorEntry> ours = Gguf.read(gguf).tensors();
    Map<String, TensorEntry> theirs =
        new TreeMap<>(Gguf.read(Golden.FOLDER.resolve(model).resolve("base.gguf")).tensors());
    assertThat(ours.keySet()).isEqualTo(theirs.keySet());
    theirs.remove("rope_freqs.weight"); // computed, and so rounded otherwise
    for (Map.Entry<String, TensorEntry> tensor : theirs.entrySet()) {
      TensorEntry mine = ours.get(tensor.getKey());
      assertThat(mine.type()).as(tensor.getKey()).isEqualTo(tensor.getValue().type());
      assertThat(bytes(mine)).as(tensor.getKey()).isEqualTo(bytes(tensor.getValue()));
    }
  }

  /** Through llama.cpp's format, whose tensors of gate and up share their A. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen2-moe", "mixtral", "glm4-moe", "gemma4-moe", "gpt-oss"})
  void expertsInLlamaCppsAdapters(String model) throws Exception {
    for (String form : List.of("base", "base.gguf")) {
      LlmBase opened = LlmBase.open(Golden.FOLDER.resolve(model).resolve(form));
      Map<String, AdaptedLayer> layers = LanguageAdapters.read(adapter(opened), opened);
      Path file = folder.resolve("adapter-of-" + form + ".gguf");
      GgufAdapter.write(opened, layers, file);
      Map<String, AdaptedLayer> read = LanguageAdapters.read(file, opened);
      assertThat(read.keySet()).isEqualTo(layers.keySet());
      layers.forEach(
          (path, layer) -> {
            AdaptedLayer.LowRank was = layer.lowRank().orElseThrow();
            assertThat(read.get(path).lowRank().orElseThrow().a()).isEqualTo(was.a());
            assertThat(read.get(path).lowRank().orElseThrow().b()).isEqualTo(was.b());
          });
      AtomicFolders.delete(folder.resolve("experts"));
    }
  }

  /** Numbers packed in 4 bits are copied; those that change become bf16, in a folder all. */
  @ParameterizedTest
  @CsvSource({
    "packed, merged, BF16, BF16",
    "packed, m.gguf, BF16, MXFP4",
    "base.gguf, m.gguf, BF16, MXFP4"
  })
  void packedExperts(String form, String out, String changed, String other) throws Exception {
    Path own =
        form.equals("packed")
            ? withTokenizer("gpt-oss", form)
            : Golden.FOLDER.resolve("gpt-oss").resolve(form);
    LlmBase opened = LlmBase.open(own);
    String down = "model.layers.%d.mlp.experts.down_proj.weight";
    Path attention = Golden.FOLDER.resolve("gpt-oss/adapter");
    Path merged = folder.resolve("same-" + out);
    new LanguageMerge(opened, List.of(new AdapterSource(attention, 1))).write(merged, "source");
    assertThat(Errors.relative(logits(merged), both(opened, attention, 1))).isLessThan(1e-5);
    assertThat(LlmBase.open(merged).weights().entry(String.format(down, 0)).type())
        .isEqualTo("MXFP4");

    Path experts = adapter(opened, t -> !t.path().contains("layers.1."));
    Path widened = folder.resolve(out);
    new LanguageMerge(opened, List.of(new AdapterSource(experts, 1))).write(widened, "source");
    assertThat(Errors.relative(logits(widened), both(opened, experts, 1))).isBetween(1e-5, 2e-2);
    LlmBase again = LlmBase.open(widened);
    assertThat(again.weights().entry(String.format(down, 0)).type()).isEqualTo(changed);
    assertThat(again.weights().entry(String.format(down, 1)).type()).isEqualTo(other);
    if (!again.isGguf()) {
      assertThat(Files.readString(widened.resolve("config.json")))
          .doesNotContain("quantization_config");
      assertThat(again.file().tensors().keySet()).noneMatch(name -> name.endsWith("_blocks"));
    }
  }

  /** A model in another form, with a tokenizer. */
  private Path withTokenizer(String model, String form) throws Exception {
    Path base = withTokenizer(model, folder);
    Path own = Golden.FOLDER.resolve(model).resolve(form);
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(own.resolve(file), base.resolve(file), StandardCopyOption.REPLACE_EXISTING);
    }
    return base;
  }

  private Path adapter(LlmBase base) throws Exception {
    return adapter(base, t -> true);
  }

  /** Random LoRA on experts, queries and recurrent layers, read back as it was written. */
  private Path adapter(LlmBase base, Predicate<Adapters.Target> which) throws Exception {
    Map<String, AdaptedLayer> layers = new TreeMap<>();
    Random random = new Random(4);
    for (Adapters.Target t : base.targets()) {
      if (which.test(t)
          && (t.experts() > 0 || t.path().endsWith("q_proj") || t.path().contains("linear_attn"))) {
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
}
