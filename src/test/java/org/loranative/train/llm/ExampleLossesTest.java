package org.loranative.train.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.data.Source;
import org.loranative.data.llm.Example;
import org.loranative.export.AdapterSource;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.TinyModel;
import org.loranative.train.machine.Machine;

/** The losses of packed examples are those of their logits, each example read alone. */
@ExtendWith(Seeded.class)
class ExampleLossesTest {
  private static final Machine CPU = Machine.of("cpu", "f32");
  private static final int VOCAB = 32;

  @TempDir Path folder;

  private static Example random(Random r, int length, int vocab) {
    int[] ids = r.ints(length, 0, vocab).toArray();
    int[] labels = new int[length];
    Arrays.setAll(labels, i -> r.nextInt(3) == 0 || i == length / 2 ? r.nextInt(vocab) : -1);
    return new Example(ids, labels, new Source(Path.of("some.jsonl"), length));
  }

  /** −log p of the labels in f64. */
  private static double expected(Answers model, Example example) {
    float[][] logits = model.logits(example.ids());
    double sum = 0;
    for (int t = 0; t < example.length(); t++) {
      if (example.labels()[t] >= 0) {
        double all = 0;
        for (float z : logits[t]) {
          all += Math.exp((double) z - logits[t][0]);
        }
        sum += Math.log(all) + logits[t][0] - logits[t][example.labels()[t]];
      }
    }
    return sum;
  }

  private static void check(Answers model, List<Example> examples) {
    double[] losses = model.losses(examples, true);
    assertThat(losses).hasSize(examples.size());
    for (int i = 0; i < losses.length; i++) {
      double expected = expected(model, examples.get(i));
      assertThat(losses[i])
          .as("example %d of %d tokens", i, examples.get(i).length())
          .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-4 * Math.max(1, expected)));
    }
  }

  /** Caps of logits, windows of attention, biases. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "gemma2", "qwen2", "gemma3"})
  void areThoseOfTheLogits(String name, Random r) throws Exception {
    Path base =
        TensorFiles.copy(Golden.FOLDER.resolve(name).resolve("base"), folder.resolve("base"));
    Files.copy(
        Path.of("src/test/resources/tokenizers/smollm/tokenizer.json"),
        base.resolve("tokenizer.json"));
    AdapterSource adapter = new AdapterSource(Golden.FOLDER.resolve(name).resolve("adapter"), 1);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      examples.add(random(r, 2 + r.nextInt(24), VOCAB));
    }
    try (Answers model = new Answers(base, List.of(adapter), CPU)) {
      check(model, examples);
    }
  }

  @Test
  void examplesLongerThanARowHaveOneEach(Random r) throws Exception {
    Path base = TinyModel.write(folder.resolve("base"));
    List<Example> examples = new ArrayList<>();
    for (int length : new int[] {5, 700, 511, 2, 513, 60, 512, 30}) {
      examples.add(random(r, length, 380));
    }
    try (Answers model = new Answers(base, List.of(), CPU)) {
      check(model, examples);
      assertThatThrownBy(() -> model.losses(List.of(random(r, 40, 9999)), true))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("some.jsonl line 40")
          .hasMessageContaining("vocabulary has 380");
    }
  }

  /** A model that gives no number is named, with the record. */
  @Test
  void noNumberIsRefused(Random r) throws Exception {
    Path base = TinyModel.write(folder.resolve("base"));
    float[] norm = new float[64];
    norm[7] = Float.NaN;
    TensorFiles.like(base.resolve("model.safetensors"))
        .with("model.norm.weight", List.of(64L), norm)
        .write(base.resolve("model.safetensors"));
    try (Answers model = new Answers(base, List.of(), CPU)) {
      assertThatThrownBy(() -> model.losses(List.of(random(r, 12, 380)), true))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("some.jsonl line 12 is no finite number");
    }
  }
}
