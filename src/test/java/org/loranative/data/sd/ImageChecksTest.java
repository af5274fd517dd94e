package org.loranative.data.sd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.data.sd.ImageChecks.Doubt;
import org.loranative.image.Picture;

class ImageChecksTest {
  @TempDir Path folder;

  private static final PreparedImage.Options OPTIONS =
      new PreparedImage.Options(new Buckets(128, 64), Color.WHITE, false, false, 1, false);

  private void write(String name, int width, int height, double frequency) throws IOException {
    float[] rgb = new float[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      int x = i / 3 % width;
      int y = i / 3 / width;
      // Large shapes that differ by frequency, and texture.
      double shapes = Math.sin(x * 0.05 + 9 * frequency) * Math.cos(y * 0.04 + 5 * frequency);
      rgb[i] = (float) (0.5 + 0.3 * shapes + 0.15 * Math.sin((x + y) * frequency));
    }
    new Picture(width, height, rgb).writePng(folder.resolve(name + ".png"));
    Files.writeString(folder.resolve(name + ".txt"), "caption of " + name);
  }

  private Preparation prepare() {
    return Preparation.of(
        Captioned.read(folder), OPTIONS, new FactsCache(Optional.of(folder.resolve("cache"))));
  }

  /** A caption of blanks is none; where all are, they are not told as alike besides. */
  @Test
  void emptyCaptionsAreNamed() throws IOException {
    write("a", 200, 200, 0.9);
    write("b", 190, 200, 0.5);
    write("c", 180, 200, 1.4);
    Files.writeString(folder.resolve("b.txt"), " \n\u3000");
    assertThat(prepare().checks().of(Doubt.EMPTY_CAPTION)).containsExactly("b.png");
    Files.writeString(folder.resolve("a.txt"), "");
    Files.writeString(folder.resolve("c.txt"), "");
    ImageChecks all = prepare().checks();
    assertThat(all.of(Doubt.EMPTY_CAPTION)).containsExactly("a.png", "b.png", "c.png");
    assertThat(all.of(Doubt.SAME_CAPTION)).isEmpty();
    assertThat(all.table()).contains("empty caption      3  a.png, b.png, c.png");
    Captioned.Found called = Captioned.read(folder).triggeredBy("zwx");
    assertThat(
            Preparation.of(called, OPTIONS, new FactsCache(Optional.empty()))
                .checks()
                .of(Doubt.EMPTY_CAPTION))
        .isEmpty();
  }

  @Test
  void everyDoubtIsFound() throws IOException {
    write("sharp", 200, 200, 0.9);
    write("other", 190, 200, 0.5);
    write("small", 60, 60, 0.7);
    write("blurred", 200, 200, 0.03);
    write("long", 500, 140, 1.1);
    write("copy", 200, 200, 0.9);
    // The same picture, a little smaller: another file that looks alike.
    Picture.read(folder.resolve("other.png"))
        .covering(171, 180)
        .writePng(folder.resolve("near.png"));
    Files.writeString(folder.resolve("near.txt"), "caption of near");
    write("silent", 200, 200, 1.4);
    Files.delete(folder.resolve("silent.txt"));
    for (int i = 0; i < 2; i++) { // the second time from the cache
      ImageChecks checks = prepare().checks();
      assertThat(checks.of(Doubt.DUPLICATE)).containsExactly("copy.png = sharp.png");
      assertThat(checks.of(Doubt.NEAR_DUPLICATE)).containsExactly("near.png = other.png");
      assertThat(checks.of(Doubt.SMALL)).containsExactly("small.png (60x60 for 128x128)");
      assertThat(checks.of(Doubt.BLURRED)).hasSize(1).first().asString().startsWith("blurred.png");
      assertThat(checks.of(Doubt.ELONGATED)).containsExactly("long.png (500x140)");
      assertThat(checks.of(Doubt.NO_CAPTION)).containsExactly("silent.png");
      assertThat(checks.of(Doubt.SAME_CAPTION)).isEmpty();
      assertThat(checks.table()).contains("near duplicate", "enlarged");
    }
    assertThat(folder.resolve("cache/facts.json")).exists();
  }

  @Test
  void goodImagesRaiseNoDoubt() throws IOException {
    write("a", 200, 200, 0.9);
    write("b", 300, 150, 0.6);
    Preparation p = prepare();
    assertThat(p.checks().isEmpty()).isTrue();
    assertThat(p.images().get(1).describe())
        .isEqualTo("b.png  300x150 -> 192x64, 33.3% cut away (0 columns, 32 rows of 192x96)");
  }

  @Test
  void allUnreadableFilesAreNamed() throws IOException {
    write("a", 200, 200, 0.9);
    for (String name : List.of("x", "y")) {
      Files.writeString(folder.resolve(name + ".png"), "no image");
      Files.writeString(folder.resolve(name + ".txt"), "caption");
    }
    assertThatThrownBy(this::prepare)
        .isInstanceOf(UserException.class)
        .hasMessageContaining("2 images cannot be used")
        .hasMessageContaining("x.png")
        .hasMessageContaining("y.png");
  }
}
