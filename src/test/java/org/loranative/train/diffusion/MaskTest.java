package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.data.sd.Captioned;
import org.loranative.data.sd.Mask;
import org.loranative.data.sd.PreparedImage;
import org.loranative.image.Crop;
import org.loranative.image.Picture;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** Masks of images: where they are found, and what they are at the latents' size. */
@ExtendWith(Seeded.class)
class MaskTest {
  private static final Golden GOLDEN = new Golden(Golden.FOLDER.resolve("mask.safetensors"));
  private static final int FACTOR = 8;
  private static final int HEIGHT = 5;
  private static final int WIDTH = 7;

  @TempDir Path folder;

  private Path gray(String name, int width, int height, float[] values) throws IOException {
    float[] rgb = new float[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = values[i / 3];
    }
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    new Picture(width, height, rgb).writePng(file);
    return file;
  }

  /** As torch interpolates by area. */
  @Test
  void areAveragedAsKohyaDoes() throws IOException {
    int pixels = HEIGHT * WIDTH * FACTOR * FACTOR;
    float[] masks = GOLDEN.floats("mask");
    float[] expected = GOLDEN.floats("shares");
    for (int i = 0; i < 2; i++) {
      float[] own = Arrays.copyOfRange(masks, i * pixels, (i + 1) * pixels);
      Path file = gray("m" + i + ".png", WIDTH * FACTOR, HEIGHT * FACTOR, own);
      float[] shares =
          new Mask(file, false, "")
              .shares(List.of(Crop.whole(WIDTH * FACTOR, HEIGHT * FACTOR)), FACTOR)
              .get(0);
      int each = HEIGHT * WIDTH;
      assertThat(Errors.relative(shares, Arrays.copyOfRange(expected, i * each, (i + 1) * each)))
          .isLessThan(1e-6);
    }
  }

  /**
   * A mask goes through the same crops as its image, mirrored or not, upright or not: an image that
   * is its own mask has its brightness as its shares.
   */
  @Test
  void followTheirImage(Random random) throws IOException {
    for (int round = 0; round < 5; round++) {
      int width = 70 + random.nextInt(60);
      int height = 70 + random.nextInt(60);
      float[] values = new float[width * height];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextInt(256) / 255f;
      }
      Path image = gray("train/a.png", width, height, values);
      Files.copy(image, folder.resolve("train/a-mask.png"), StandardCopyOption.REPLACE_EXISTING);
      Files.writeString(folder.resolve("train/a.txt"), "a");
      PreparedImage read = read("random_crop=true", "flip=true", "seed=" + round).training().get(0);
      List<float[]> shares = read.mask().orElseThrow().shares(read.crops(), FACTOR);
      List<Picture> pictures = read.pictures();
      assertThat(shares).hasSameSizeAs(pictures).hasSizeGreaterThan(1);
      for (int i = 0; i < shares.size(); i++) {
        assertThat(shares.get(i)).hasSize(8 * 8);
        assertThat(Errors.relative(shares.get(i), means(pictures.get(i)))).isLessThan(1e-6);
      }
    }
  }

  private static double[] means(Picture p) {
    int across = p.width() / FACTOR;
    double[] means = new double[across * (p.height() / FACTOR)];
    for (int i = 0; i < p.width() * p.height(); i++) {
      int at = i / p.width() / FACTOR * across + i % p.width() / FACTOR;
      means[at] += Math.round(p.rgb()[3 * i] * 255) / 255.0 / (FACTOR * FACTOR);
    }
    return means;
  }

  private ImageData read(String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "task_type=sd",
                "resolution=64",
                "metadata_path=" + folder.resolve("train"),
                "cache_encodings=false",
                "masked=true",
                "validation_fraction=0"));
    settings.addAll(List.of(more));
    return ImageData.of(ConfigReader.read(Optional.empty(), settings), 8);
  }

  private void captioned(String name, boolean alpha) throws IOException {
    BufferedImage image =
        new BufferedImage(64, 64, alpha ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 64 * 64; i++) {
      image.setRGB(i % 64, i / 64, (i % 64 < 32 ? 0x40000000 : 0xff000000) | i * 977);
    }
    Path file = folder.resolve("train").resolve(name + ".png");
    Files.createDirectories(file.getParent());
    ImageIO.write(image, "png", file.toFile());
    Files.writeString(folder.resolve("train").resolve(name + ".txt"), "caption of " + name);
  }

  /** A file first, then the alpha channel, then none; a mask is no image of its own. */
  @Test
  void areFilesOrAlphaChannels() throws IOException {
    captioned("a", true);
    captioned("b", true);
    captioned("c", false);
    Path file = gray("train/a-mask.png", 64, 64, new float[64 * 64]);
    List<PreparedImage> images = read().training();
    assertThat(images)
        .extracting(i -> i.captioned().file().getFileName().toString())
        .containsExactly("a.png", "b.png", "c.png");
    assertThat(images.get(0).mask().map(Mask::file)).contains(file);
    assertThat(images.get(0).describe()).endsWith("masked by a-mask.png");
    Mask alpha = images.get(1).mask().orElseThrow();
    assertThat(alpha.opacity()).isTrue();
    float[] shares = alpha.shares(images.get(1).crops(), FACTOR).get(0);
    for (int i = 0; i < shares.length; i++) {
      assertThat((double) shares[i]).isCloseTo(i % 8 < 4 ? 64 / 255.0 : 1, Offset.offset(1e-6));
    }
    assertThat(images.get(2).mask()).isEmpty();
    assertThat(Captioned.read(folder.resolve("train")).withoutCaption()).isEmpty();
    assertThat(read("masked=false").training()).allMatch(i -> i.mask().isEmpty());
  }

  @Test
  void whatDoesNotFitIsNamed() throws IOException {
    captioned("a", false);
    assertThatThrownBy(() -> read())
        .isInstanceOf(UserException.class)
        .hasMessageContaining("no image of " + folder.resolve("train"))
        .hasMessageContaining("NAME-mask.png");
    gray("train/a-mask.png", 64, 60, new float[64 * 60]);
    assertThatThrownBy(() -> read())
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a-mask.png has 64 x 60 pixels, but its image a.png 64 x 64");
    gray("train/a-mask.png", 64, 64, new float[64 * 64]);
    Files.writeString(folder.resolve("train/a-mask.txt"), "a mask");
    assertThatThrownBy(() -> read())
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a-mask.png has a caption of its own");
    assertThat(read("masked=false").training()).hasSize(2);
    assertThatThrownBy(() -> read("masked=false", "unmasked_weight=0.1"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("unmasked_weight is 0.1, but must be 0 without masked: true");
  }
}
