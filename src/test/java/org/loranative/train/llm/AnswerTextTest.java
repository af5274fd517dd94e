package org.loranative.train.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.testing.Seeded;

/** Tokens of single bytes, so that every letter beyond ASCII is a character of several. */
@ExtendWith(Seeded.class)
class AnswerTextTest {
  private static final String LETTERS = "aab·bé猫🐙 \n";

  private static String decode(int[] ids) {
    byte[] bytes = new byte[ids.length];
    for (int i = 0; i < ids.length; i++) {
      bytes[i] = (byte) ids[i];
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static String text(Random random, int letters) {
    int[] all = LETTERS.codePoints().toArray();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < letters; i++) {
      text.appendCodePoint(all[random.nextInt(all.length)]);
    }
    return text.toString();
  }

  @Test
  void endsBeforeTheFirstStop(Random random) {
    for (int draw = 0; draw < 2000; draw++) {
      String text = text(random, random.nextInt(30));
      List<String> stops = new ArrayList<>();
      for (int i = random.nextInt(3); i > 0; i--) {
        stops.add(text(random, 1 + random.nextInt(3)));
      }
      StringBuilder shown = new StringBuilder();
      AnswerText answer =
          new AnswerText(
              AnswerTextTest::decode,
              stops,
              piece -> {
                shown.append(piece);
                return true;
              });
      int taken = 0;
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      boolean goesOn = true;
      while (goesOn && taken < bytes.length) {
        goesOn = answer.take(bytes[taken++]);
      }
      String whole = answer.end();

      // The stop that is whole first ends it; of several at once, the one that began first.
      int end = text.length();
      boolean stopped = false;
      for (int n = 1; n <= text.length() && !stopped; n++) {
        for (String stop : stops) {
          int at = text.substring(0, n).indexOf(stop);
          if (at >= 0) {
            end = stopped ? Math.min(end, at) : at;
            stopped = true;
          }
        }
      }
      String expected = text.substring(0, end);
      assertThat(whole).as("%s stops %s, %s", text, stops, Seeded.again()).isEqualTo(expected);
      assertThat(shown.toString()).as(Seeded.again()).isEqualTo(expected);
      assertThat(answer.isStopped()).isEqualTo(stopped);
      assertThat(goesOn).isEqualTo(!stopped);
    }
  }

  @Test
  void leavesOutPartOfACharacter() {
    List<String> pieces = new ArrayList<>();
    AnswerText answer = new AnswerText(AnswerTextTest::decode, List.of(), pieces::add);
    byte[] octopus = "🐙".getBytes(StandardCharsets.UTF_8);
    answer.take('a');
    answer.take(octopus[0]);
    answer.take(octopus[1]);
    assertThat(pieces).containsExactly("a");
    assertThat(answer.end()).isEqualTo("a");
    assertThat(pieces).containsExactly("a");
  }

  @Test
  void goesOnNoLongerWhenTheReceiverHasEnough() {
    List<String> pieces = new ArrayList<>();
    AnswerText answer =
        new AnswerText(
            AnswerTextTest::decode,
            List.of(),
            piece -> {
              pieces.add(piece);
              return pieces.size() < 2;
            });
    assertThat(answer.take('a')).isTrue();
    assertThat(answer.take('b')).isFalse();
    assertThat(answer.isRefused()).isTrue();
    assertThat(answer.end()).isEqualTo("ab");
    assertThat(pieces).containsExactly("a", "b");
  }
}
