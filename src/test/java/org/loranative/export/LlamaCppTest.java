package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.lora.AdaptedLayer;
import org.loranative.model.llm.LlmBase;
import org.loranative.testing.Golden;
import org.loranative.train.llm.Answers;
import org.loranative.train.machine.Machine;
import org.loranative.train.verification.Difference;
import org.loranative.train.verification.LanguageVerification;
import org.loranative.train.verification.OtherAnswer;

/**
 * llama.cpp computes of an exported adapter and of a merged model what we compute. The environment
 * variable LORA_NATIVE_LLAMA_CPP names a Python that has llama-cpp-python (see llama_logits.py).
 */
@Tag("slow")
class LlamaCppTest {
  private static final Path MODEL = Path.of("models/cache/SmolLM2-135M-Instruct.Q4_1.gguf");
  private static final int RANK = 4;

  @TempDir Path folder;

  @Test
  void theSameLogits() throws Exception {
    String python = System.getenv().getOrDefault("LORA_NATIVE_LLAMA_CPP", "");
    assumeThat(python).as("LORA_NATIVE_LLAMA_CPP").isNotEmpty();
    LlmBase base = LlmBase.open(MODEL);
    Path adapter = folder.resolve("adapter.gguf");
    GgufAdapter.write(base, random(base), adapter);
    AdapterSource source = new AdapterSource(adapter, 1);
    Path merged = folder.resolve("merged.gguf");
    new LanguageMerge(base, List.of(source)).write(merged, "f32");
    Path whole = folder.resolve("folder");
    new LanguageMerge(base, List.of(source)).write(whole, "f32");
    Path made = folder.resolve("made.gguf");
    new LanguageMerge(LlmBase.open(whole), List.of()).write(made, "f32");

    // Of f32 all that differs is llama.cpp's cache in f16; of Q4_1 it rounds what it multiplies.
    assertThat(difference(python, source, merged).kl()).isLessThan(1e-5);
    sameGreedyTokens(source);
    assertThat(difference(python, source, made).kl()).isLessThan(1e-5);
    assertThat(difference(python, source, MODEL, adapter.toString()).kl()).isLessThan(0.03);
    assertThat(difference(python, source, MODEL).kl()).isGreaterThan(0.05); // it does something
  }

  /**
   * Mixtures, and recurrent layers, whose value heads llama.cpp has in another order, of files that
   * its own converter made.
   */
  @ParameterizedTest
  @ValueSource(strings = {"qwen2-moe", "qwen3-5-turns", "qwen3-5-moe-turns", "qwen3-next-turns"})
  void filesOfItsConverter(String name) throws Exception {
    String python = System.getenv().getOrDefault("LORA_NATIVE_LLAMA_CPP", "");
    assumeThat(python).as("LORA_NATIVE_LLAMA_CPP").isNotEmpty();
    Path model = Golden.FOLDER.resolve(name).resolve("base.gguf");
    LlmBase base = LlmBase.open(model);
    Path adapter = folder.resolve("adapter.gguf");
    Map<String, AdaptedLayer> layers = random(base);
    GgufAdapter.write(base, layers, adapter);
    AdapterSource source = new AdapterSource(adapter, 1);
    // These models' epsilon is large, and llama.cpp takes it for the lengths of q and k as well.
    assertThat(difference(python, model, List.of(source), model, adapter.toString()).kl())
        .isLessThan(1e-4);
    assertThat(difference(python, model, List.of(source), model).kl()).isGreaterThan(1e-3);
    Path merged = folder.resolve("merged.gguf");
    new LanguageMerge(base, List.of(source)).write(merged, "f32");
    assertThat(difference(python, model, List.of(source), merged).kl()).isLessThan(1e-4);
    for (DType type : List.of(DType.Q8_0, DType.Q4_K)) { // llama.cpp rounds what it multiplies
      Path blocks = folder.resolve(type + ".gguf");
      Predicting.requantize(model, blocks, type);
      assertThat(difference(python, blocks, List.of(), blocks).kl()).isLessThan(3e-3);
    }
  }

  /** A folder's model, as a GGUF of ours. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen2-moe", "qwen3-5-turns", "qwen3-5-moe-turns", "qwen3-next-turns"})
  void filesOfAFolder(String name) throws Exception {
    String python = System.getenv().getOrDefault("LORA_NATIVE_LLAMA_CPP", "");
    assumeThat(python).as("LORA_NATIVE_LLAMA_CPP").isNotEmpty();
    Path model = Golden.FOLDER.resolve(name).resolve("base.gguf");
    Path back = folder.resolve("back");
    new LanguageMerge(LlmBase.open(model), List.of()).write(back, "f32");
    Path made = folder.resolve("made.gguf");
    new LanguageMerge(LlmBase.open(back), List.of()).write(made, "f32");
    assertThat(difference(python, model, List.of(), made).kl()).isLessThan(1e-4);
    new LanguageMerge(LlmBase.open(back), List.of()).write(folder.resolve("made8.gguf"), "q8_0");
    assertThat(difference(python, model, List.of(), folder.resolve("made8.gguf")).kl())
        .isLessThan(3e-2);
  }

  /** What llama.cpp's last answer goes on with is what we go on with. */
  private void sameGreedyTokens(AdapterSource source) {
    TensorFile answer = Safetensors.read(folder.resolve("logits.safetensors"));
    int[] ids = ints(answer.tensors().get("ids"));
    int[] greedy = ints(answer.tensors().get("greedy"));
    try (Answers answers = new Answers(MODEL, List.of(source), Machine.of("cpu", "f32"))) {
      int[] ours = answers.likeliest(ids, greedy.length);
      assertThat(ours).isNotEmpty().isEqualTo(Arrays.copyOf(greedy, ours.length));
      boolean ended =
          ours.length == greedy.length || answers.tokenizer().stop().contains(greedy[ours.length]);
      assertThat(ended).isTrue();
    }
  }

  private static int[] ints(TensorEntry entry) {
    int[] ids = new int[Math.toIntExact(entry.elements())];
    Safetensors.data(entry).asIntBuffer().get(ids);
    return ids;
  }

  private Difference difference(String python, AdapterSource source, Path model, String... adapter)
      throws Exception {
    return difference(python, MODEL, List.of(source), model, adapter);
  }

  /** What llama.cpp makes of a model and an adapter, against us with others. */
  private Difference difference(
      String python, Path base, List<AdapterSource> sources, Path model, String... adapter)
      throws Exception {
    Path text = folder.resolve("text.txt");
    Files.writeString(
        text,
        base.equals(MODEL)
            ? "The sea is 71 % of the Earth's surface; its colour, 蓝 or grey, varies."
            : "the sea is deep and it varies"); // letters alone, as small models know
    Path out = folder.resolve("logits.safetensors");
    List<String> command =
        new ArrayList<>(
            List.of(
                python,
                "src/test/python/llama_logits.py",
                model.toString(),
                text.toString(),
                out.toString()));
    command.addAll(List.of(adapter));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("GGML_NO_BACKTRACE", "1"); // or one that fails waits for a debugger
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), "UTF-8");
    assertThat(process.waitFor()).as(said).isZero();
    return OtherAnswer.of(out)
        .orElseThrow()
        .compare(
            new LanguageVerification(List.of(), "", 1),
            () -> new Answers(base, sources, Machine.of("cpu", "f32")))
        .difference();
  }

  private static Map<String, AdaptedLayer> random(LlmBase base) {
    Random random = new Random(5);
    Map<String, AdaptedLayer> layers = new TreeMap<>();
    base.targets()
        .forEach(
            t ->
                layers.put(
                    t.path(),
                    AdaptedLayer.lowRank(
                        t,
                        2 * RANK,
                        new AdaptedLayer.LowRank(
                            RANK,
                            numbers(random, Math.max(1, t.experts()) * t.in(), 0.02),
                            numbers(random, Math.max(1, t.experts()) * t.out(), 0.08)))));
    return layers;
  }

  private static float[] numbers(Random random, long n, double size) {
    float[] x = new float[Math.toIntExact(RANK * n)];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (size * random.nextGaussian());
    }
    return x;
  }
}
