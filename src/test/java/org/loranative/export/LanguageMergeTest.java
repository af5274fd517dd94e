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
import org.loranative.model.llm.LlmBase;
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
    Path base = withTokenizer(model, folder);
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
    Path base = withTokenizer("llama", folder);
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
    Path base = withTokenizer(model, folder);
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
