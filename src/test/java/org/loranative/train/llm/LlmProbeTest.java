package org.loranative.train.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.loranative.data.Source;
import org.loranative.data.llm.Example;

class LlmProbeTest {
  private static Example example(int line, int[] ids, int[] labels) {
    return new Example(ids, labels, new Source(Path.of("data.jsonl"), line));
  }

  /** Prompt 1 2, answer 3 4 and prompt 5, answer 6 7 8: each prompt before the other's answer. */
  private static final List<Example> TWO =
      List.of(
          example(1, new int[] {1, 2, 3, 4}, new int[] {-1, 3, 4, -1}),
          example(2, new int[] {5, 6, 7, 8}, new int[] {6, 7, 8, -1}));

  @Test
  void putsEachPromptBeforeTheOthersAnswer() {
    LlmProbe probe =
        LlmProbe.of(
            List.of(TWO.get(0), example(3, new int[] {5, 9, 6, 7}, new int[] {-1, 6, 7, -1})),
            16,
            10);
    Example first = probe.swapped().get(0);
    assertThat(first.ids()).containsExactly(1, 2, 6, 7);
    assertThat(first.labels()).containsExactly(-1, 6, 7, -1);
    assertThat(first.source().line()).as("named by the answer").isEqualTo(3);
  }

  @Test
  void cutsToTheLongestThatIsTrained() {
    LlmProbe probe =
        LlmProbe.of(
            List.of(TWO.get(0), example(3, new int[] {5, 9, 6, 7}, new int[] {-1, 6, 7, -1})),
            16,
            3);
    assertThat(probe.swapped().get(0).ids()).containsExactly(1, 2, 6);
    assertThat(probe.swapped().get(0).labels()).containsExactly(-1, 6, 7);
  }

  /** Text that is learnt whole has no prompt that an answer could belong to. */
  @Test
  void leavesPlainTextAlone() {
    Example text = example(1, new int[] {1, 2, 3}, new int[] {2, 3, -1});
    assertThat(LlmProbe.of(List.of(text, text), 16, 10).swapped()).isEmpty();
    assertThat(LlmProbe.of(List.of(text, text), 16, 10).records()).hasSize(2);
  }

  /** Of the same words, but for case, spaces and punctuation; an emoji is a word. */
  @Test
  void countsRecordsThatAreNearlyThere() {
    Map<Integer, String> texts =
        Map.of(1, "What is 🐙?", 2, "what is  🐙", 3, "What is 🦊?", 4, "WHAT, IS 🦊");
    List<Example> examples =
        List.of(1, 2, 3, 1).stream()
            .map(i -> example(i, new int[] {i, 9}, new int[] {9, -1}))
            .toList();
    Example held = example(4, new int[] {4, 9}, new int[] {9, -1});
    Map<String, Object> facts =
        LlmFacts.of(examples, List.of(held, examples.get(0)), 100, ids -> texts.get(ids[0]));
    assertThat(facts)
        .containsEntry("data/duplicates", 1)
        .containsEntry("data/near_duplicates", 1)
        .containsEntry("data/validation_leak", 1L)
        .containsEntry("data/near_validation_leak", 1L);
  }

  @Test
  void countsWhatTrainingShouldKnow() {
    Example a = TWO.get(0);
    Map<String, Object> facts =
        LlmFacts.of(List.of(a, a, TWO.get(1)), List.of(a), 49152, java.util.Arrays::toString);
    assertThat(facts)
        .containsEntry("data/records", 3)
        .containsEntry("data/duplicates", 1)
        .containsEntry("data/validation_leak", 1L)
        .containsEntry("vocab_size", 49152)
        .containsEntry("data/labelled_share", 7.0 / 12);
    // 3 and 4 twice each, 6, 7, 8 once, of 7
    double entropy = -2 * 2 / 7.0 * Math.log(2 / 7.0) - 3 / 7.0 * Math.log(1 / 7.0);
    assertThat((double) facts.get("data/label_entropy"))
        .isCloseTo(entropy, org.assertj.core.data.Offset.offset(1e-12));
  }
}
