package org.loranative.label;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;

/** Captions by tiny ONNX models (src/test/python/make_onnx_golden.py). */
class LabellingTest {
  private static final Path MODELS = Path.of("src/test/resources/label");

  @TempDir private Path folder;
  private final List<String> made = new ArrayList<>();

  @BeforeEach
  void images() throws IOException {
    image("red.png", new Color(255, 0, 0), 30, 30);
    image("dull.png", new Color(160, 0, 0), 30, 30);
    image("sky.png", new Color(0, 0, 250), 30, 30);
    image("wide.png", new Color(0, 0, 0), 32, 8);
  }

  private void image(String name, Color colour, int width, int height) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, colour.getRGB());
      }
    }
    ImageIO.write(image, "png", folder.resolve(name).toFile());
  }

  private int tag(boolean force, String prefix) throws IOException {
    try (Labeller tagger =
        Labelling.tagger(
            MODELS.resolve("tagger.onnx"), MODELS.resolve("selected_tags.csv"), 0.35, 0.7)) {
      return Labelling.label(folder, tagger, prefix, force, (f, c) -> made.add(c));
    }
  }

  private List<String> csv() throws IOException {
    return Files.readAllLines(folder.resolve("metadata.csv"));
  }

  @Test
  void tagsWhatIsInThePicture() throws IOException {
    assertThat(tag(false, "")).isEqualTo(4);
    assertThat(csv())
        .containsExactlyInAnyOrder(
            "filename,prompt",
            "red.png,\"red, captain red\"", // the likeliest first; no rating
            "dull.png,red",
            "sky.png,blue sky",
            // Filled up with white, so half of each colour is there.
            "wide.png,\"blue sky, green grass, red\"");
  }

  @Test
  void keepsCaptionsThatAreThere() throws IOException {
    Files.writeString(folder.resolve("red.txt"), "my own words");
    assertThat(tag(false, "style")).isEqualTo(3);
    assertThat(csv()).contains("red.png,my own words", "sky.png,\"style, blue sky\"");
    image("new.png", new Color(0, 250, 0), 30, 30);
    made.clear();
    assertThat(tag(false, "")).as("only what is new").isEqualTo(1);
    assertThat(made).containsExactly("green grass");
    assertThat(csv()).contains("red.png,my own words", "sky.png,\"style, blue sky\"");
    assertThat(tag(false, "")).as("nothing left").isZero();
    assertThat(tag(true, "")).isEqualTo(5);
    assertThat(csv()).contains("red.png,\"red, captain red\"");
  }

  @Test
  void captionsInWords() throws IOException {
    Path tokenizer = Files.createDirectory(folder.resolve("tokenizer"));
    Files.copy(
        Path.of("src/test/resources/tokenizers/smollm/tokenizer.json"),
        tokenizer.resolve("tokenizer.json"));
    Files.writeString(
        tokenizer.resolve("tokenizer_config.json"),
        "{\"bos_token\": \"<|im_start|>\", \"eos_token\": \"<|im_end|>\"}");
    image("white.png", Color.WHITE, 20, 20);
    try (Labeller captioner =
        Labelling.captioner(MODELS.resolve("captioner.onnx"), tokenizer, 12)) {
      assertThat(captioner.caption(folder.resolve("white.png"))).isEqualTo("light");
      assertThat(captioner.caption(folder.resolve("wide.png"))).isEqualTo("dark");
    }
    try (Labeller brief = Labelling.captioner(MODELS.resolve("captioner.onnx"), tokenizer, 1)) {
      assertThat("light")
          .startsWith(brief.caption(folder.resolve("white.png")))
          .isNotEqualTo(brief.caption(folder.resolve("white.png")));
    }
  }

  @Test
  void saysWhatDoesNotFit() throws IOException {
    Path short_ = folder.resolve("few.csv");
    Files.writeString(short_, "tag_id,name,category,count\n0,a,0,1\n");
    try (Labeller tagger = Labelling.tagger(MODELS.resolve("tagger.onnx"), short_, 0.3, 0.3)) {
      assertThatThrownBy(() -> tagger.caption(folder.resolve("red.png")))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("gives 5 probabilities, but there are 1 tags");
    }
    assertThatThrownBy(
            () ->
                Labelling.tagger(
                    MODELS.resolve("captioner.onnx"),
                    MODELS.resolve("selected_tags.csv"),
                    0.3,
                    0.3))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a tagger has one");
    assertThatThrownBy(
            () -> Labelling.tagger(short_, MODELS.resolve("selected_tags.csv"), 0.3, 0.3))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("cannot be opened");
  }
}
