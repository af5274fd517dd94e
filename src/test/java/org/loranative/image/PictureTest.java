package org.loranative.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.testing.Seeded;

@ExtendWith(Seeded.class)
class PictureTest {
  @TempDir Path folder;

  private static Picture waves() {
    float[] rgb = new float[12 * 9 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = Math.round((Math.sin(i * 0.37) * 0.5 + 0.5) * 255) / 255f;
    }
    return new Picture(12, 9, rgb);
  }

  /** PIL: {@code Image.resize(size, Image.LANCZOS)} of the same waves, first pixels and sum. */
  @ParameterizedTest
  @CsvSource({
    "5, 4, 7654, 224, 218, 201, 59, 43, 39",
    "20, 17, 130090, 105, 154, 199, 158, 198, 228"
  })
  void resizesAsPilDoes(
      int width, int height, int sum, int r0, int g0, int b0, int r1, int g1, int b1) {
    Picture resized = waves().cut(Crop.whole(width, height));
    int[] expected = {r0, g0, b0, r1, g1, b1};
    for (int i = 0; i < expected.length; i++) {
      assertThat(resized.rgb()[i] * 255)
          .isCloseTo(expected[i], org.assertj.core.data.Offset.offset(1.5f));
    }
    double total = 0;
    for (float x : resized.rgb()) {
      total += x * 255;
    }
    assertThat(total).isCloseTo(sum, org.assertj.core.data.Percentage.withPercentage(0.3));
  }

  @Test
  void pngKeepsEveryPixel() throws Exception {
    Picture picture = waves();
    picture.writePng(folder.resolve("a.png"));
    assertThat(Picture.read(folder.resolve("a.png")).rgb()).isEqualTo(picture.rgb());
  }

  @Test
  void transparentBecomesWhiteAndGrayHasThreeChannels() throws Exception {
    BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(0, 0, 0x00ff0000);
    image.setRGB(1, 0, 0xff0000ff);
    ImageIO.write(image, "png", folder.resolve("t.png").toFile());
    assertThat(Picture.read(folder.resolve("t.png")).rgb()).containsExactly(1, 1, 1, 0, 0, 1);
    BufferedImage gray = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
    ImageIO.write(gray, "png", folder.resolve("g.png").toFile());
    assertThat(Picture.read(folder.resolve("g.png")).rgb()).containsExactly(0, 0, 0);
  }

  /** Every kind of file against PIL: WebP, CMYK, palettes, 16 bits, EXIF's eight orientations. */
  @Test
  void readsWhatPilReads() throws Exception {
    Path images = Path.of("src/test/resources/images");
    int compared = 0;
    for (Path file : Files.list(images).sorted().toList()) {
      String name = file.getFileName().toString();
      if (name.endsWith(".expected.png")) {
        continue;
      }
      Picture actual = Picture.read(file);
      Picture expected = Picture.read(images.resolve(name + ".expected.png"));
      assertThat(actual.width()).as(name).isEqualTo(expected.width());
      assertThat(actual.height()).as(name).isEqualTo(expected.height());
      double worst = 0;
      for (int i = 0; i < actual.rgb().length; i++) {
        worst = Math.max(worst, Math.abs(actual.rgb()[i] - expected.rgb()[i]) * 255);
      }
      // Decoders of JPEG round differently.
      // libwebp smooths chroma where it enlarges it, ImageIO's reader repeats it.
      double most = name.equals("lossy.webp") ? 24 : name.endsWith(".jpg") ? 8 : 1.01;
      assertThat(worst).as(name).isLessThan(most);
      compared++;
    }
    assertThat(compared).isGreaterThan(14);
  }

  /** A decoder that rounds its predictions wrongly tints the picture, more towards the bottom. */
  @Test
  void lossyWebpIsWhatLibwebpDecodes() throws Exception {
    Path folder = Path.of("src/test/resources/webp");
    List<Path> files = Files.list(folder).filter(f -> f.toString().endsWith(".webp")).toList();
    assertThat(files).hasSizeGreaterThan(3);
    for (Path file : files) {
      Picture picture = Picture.read(file);
      Picture means = Picture.read(Path.of(file.toString().replace(".webp", ".means.png")));
      double apart = 0;
      for (int block = 0; block < means.width() * means.height(); block++) {
        int left = block % means.width() * 16;
        int top = block / means.width() * 16;
        for (int c = 0; c < 3; c++) {
          double sum = 0;
          for (int i = 0; i < 256; i++) {
            sum += picture.rgb()[((top + i / 16) * picture.width() + left + i % 16) * 3 + c];
          }
          apart += Math.abs(sum / 256 - means.rgb()[block * 3 + c]) * 255;
        }
      }
      // libwebp smooths chroma where it enlarges it, ImageIO's reader repeats it.
      assertThat(apart / means.rgb().length).as(file.getFileName().toString()).isLessThan(1.5);
    }
  }

  @Test
  void transparentShowsTheBackground() {
    Path file = Path.of("src/test/resources/images/alpha.png");
    float[] black = ImageFile.open(file, java.awt.Color.BLACK).whole().rgb();
    assertThat(black[0]).isZero(); // the left column is transparent
    assertThat(Picture.read(file).rgb()[0]).isEqualTo(1);
  }

  private static List<Path> images() throws Exception {
    try (var files = Files.list(Path.of("src/test/resources/images"))) {
      return files.filter(f -> !f.toString().endsWith(".expected.png")).sorted().toList();
    }
  }

  /** Row by row, in strips, turned as EXIF says: the same pixels as of the whole picture. */
  @Test
  void stripsAndCropsAreThoseOfTheWhole() throws Exception {
    for (Path path : images()) {
      ImageFile file = ImageFile.open(path);
      Picture whole = file.whole();
      assertThat(whole.width()).isEqualTo(file.width());
      Crop middle = Crop.middle(file.width(), file.height(), 8, 6);
      List<Crop> crops =
          List.of(
              Crop.whole(file.width(), file.height()), middle.at(0.1, 0.9), middle.mirroredToo());
      for (int stripPixels : new int[] {1, 3 * file.width(), 1 << 20}) {
        List<Picture> cut = file.cut(crops, stripPixels);
        for (int i = 0; i < crops.size(); i++) {
          assertThat(cut.get(i).rgb())
              .as(path + " " + crops.get(i))
              .usingComparatorWithPrecision(1e-5f)
              .containsExactly(whole.cut(crops.get(i)).rgb());
        }
      }
    }
  }

  /** As PIL does; that only a JPEG's mark of the end is missing takes no pixel away. */
  @Test
  void truncatedFilesAreRefused() throws Exception {
    List<Path> files = new java.util.ArrayList<>(images());
    files.add(Path.of("src/test/resources/webp/q90.webp"));
    for (Path path : files) {
      byte[] whole = Files.readAllBytes(path);
      Path file = folder.resolve("cut-" + path.getFileName());
      for (double share : new double[] {0.5, 0.8, 0.9}) {
        Files.write(file, java.util.Arrays.copyOf(whole, (int) (whole.length * share)));
        assertThatThrownBy(() -> Picture.read(file))
            .as(path + " " + share)
            .isInstanceOf(UserException.class)
            .hasMessageContaining(file.toString())
            .satisfies(e -> assertThat(e.getMessage()).doesNotContain("null"));
      }
      if (path.toString().endsWith(".jpg")) {
        Files.write(file, java.util.Arrays.copyOf(whole, whole.length - 2));
        assertThat(Picture.read(file).rgb()).isEqualTo(Picture.read(path).rgb());
      }
    }
  }

  @Test
  void thinPicturesAreCutBeforeTheyAreEnlarged() {
    Path thin = Path.of("src/test/resources/captions/28-thin");
    for (String name : List.of("7_4000x1.png", "5_3x7000.png")) {
      Picture picture = ImageFile.open(thin.resolve(name)).covering(512, 512);
      assertThat(picture.rgb()).hasSize(512 * 512 * 3);
    }
    Crop extreme = Crop.middle(1 << 27, 1, 512, 512);
    assertThat(extreme.scaledWidth()).isEqualTo(1L << 36);
    assertThat(extreme.left()).isEqualTo((1L << 35) - 256);
    assertThat(new Resampling(1 << 27, 1, extreme)).isNotNull();
  }

  /** A photograph of 40 megapixels, held upright: whole, in floats, it would take 480 MB. */
  @Test
  void largePhotographsFitASmallHeap() throws Exception {
    BufferedImage image = new BufferedImage(8000, 5000, BufferedImage.TYPE_3BYTE_BGR);
    java.awt.Graphics2D g = image.createGraphics();
    g.setPaint(
        new java.awt.GradientPaint(0, 0, java.awt.Color.RED, 8000, 5000, java.awt.Color.BLUE));
    g.fillRect(0, 0, 8000, 5000);
    Path plain = folder.resolve("plain.jpg");
    ImageIO.write(image, "jpg", plain.toFile());
    byte[] jpeg = Files.readAllBytes(plain);
    byte[] exif = {
      (byte) 0xff,
      (byte) 0xe1,
      0,
      34,
      'E',
      'x',
      'i',
      'f',
      0,
      0,
      'M',
      'M',
      0,
      42,
      0,
      0,
      0,
      8,
      0,
      1,
      1,
      0x12,
      0,
      3,
      0,
      0,
      0,
      1,
      0,
      6,
      0,
      0,
      0,
      0,
      0,
      0
    };
    Path photo = folder.resolve("photo.jpg");
    try (var out = Files.newOutputStream(photo)) {
      out.write(jpeg, 0, 2);
      out.write(exif);
      out.write(jpeg, 2, jpeg.length - 2);
    }
    Process child =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx224m",
                "-cp",
                System.getProperty("java.class.path"),
                Covering.class.getName(),
                photo.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(child.getInputStream().readAllBytes());
    assertThat(child.waitFor()).as(said).isZero();
    assertThat(said).contains("5000x8000", "320x512");
  }

  /** Brings an image to a size, in a process of its own. */
  static final class Covering {
    public static void main(String[] arguments) {
      ImageFile file = ImageFile.open(Path.of(arguments[0]));
      Picture picture = file.covering(320, 512);
      System.out.println(file.width() + "x" + file.height());
      System.out.println(picture.width() + "x" + picture.height());
    }
  }

  @Test
  void namesPointersOfGitLfs() throws Exception {
    Path file = folder.resolve("a.png");
    Files.writeString(file, "version https://git-lfs.github.com/spec/v1\nsize 12345\n");
    assertThatThrownBy(() -> Picture.read(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(file + " is a pointer of Git LFS");
  }

  @Test
  void whatDoesNotFitTheHeapIsNamed() {
    assertThatThrownBy(
            () ->
                ImageFile.open(Path.of("src/test/resources/images/gray.jpg"))
                    .cut(List.of(Crop.whole(26_000, 26_000))))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("gray.jpg")
        .hasMessageContaining("heap");
  }

  @Test
  void cropsMoveAndMirror() {
    Crop middle = Crop.middle(12, 9, 6, 9);
    assertThat(middle).isEqualTo(new Crop(12, 9, 3, 0, 6, 9, false));
    assertThat(middle.at(0, 0).left()).isZero();
    assertThat(middle.at(0.999, 0.5).left()).isEqualTo(6);
    float[] plain = waves().cut(middle).rgb();
    float[] mirrored = waves().cut(middle.mirroredToo()).rgb();
    for (int x = 0; x < 6; x++) {
      assertThat(mirrored[x * 3]).isEqualTo(plain[(5 - x) * 3]);
    }
  }

  @Test
  void coveringKeepsTheMiddle() {
    Picture wide = waves().covering(4, 4);
    assertThat(wide.width()).isEqualTo(4);
    assertThat(wide.height()).isEqualTo(4);
    assertThat(waves().covering(12, 9).rgb()).isEqualTo(waves().rgb());
  }

  /** Damaged files give a sentence, never anything else. */
  @Test
  void damagedFilesAreRefused(Random r) throws Exception {
    int refused = 0;
    for (Path image : Files.list(Path.of("src/test/resources/images")).sorted().toList()) {
      byte[] whole = Files.readAllBytes(image);
      for (int i = 0; i < 8; i++) {
        boolean cut = r.nextBoolean();
        byte[] bytes =
            java.util.Arrays.copyOf(whole, cut ? 1 + r.nextInt(whole.length) : whole.length);
        for (int k = r.nextInt(6); k > 0; k--) {
          // Half of the changes to where sizes and tables are.
          int most = r.nextBoolean() ? Math.min(64, bytes.length) : bytes.length;
          bytes[r.nextInt(most)] = (byte) r.nextInt();
        }
        Path file = folder.resolve("f" + image.getFileName());
        Files.write(file, bytes);
        try {
          Picture.read(file);
        } catch (UserException e) {
          refused++;
          assertThat(e).hasMessageContaining(file.getFileName().toString());
        }
      }
    }
    assertThat(refused).isGreaterThan(40);
    assertThatThrownBy(() -> Picture.read(folder.resolve("none.png")))
        .isInstanceOf(UserException.class);
  }
}
