package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.config.ConfigReader;
import org.loranative.data.sd.PreparedImage;
import org.loranative.image.Picture;

/** What a configuration makes of folders of images. */
class ImageDataTest {
  @TempDir Path folder;

  private void image(String name, String caption) throws IOException {
    float[] rgb = new float[40 * 40 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (float) (0.5 + 0.5 * Math.sin(i * (name.hashCode() % 17 + 2) / 40.0));
    }
    Path file = folder.resolve(name + ".png");
    Files.createDirectories(file.getParent());
    new Picture(40, 40, rgb).writePng(file);
    Files.writeString(folder.resolve(name + ".txt"), caption);
  }

  private ImageData read(String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "task_type=sd",
                "resolution=32",
                "metadata_path=" + folder.resolve("train"),
                "cache_encodings=false",
                "validation_fraction=0"));
    settings.addAll(List.of(more));
    return ImageData.of(ConfigReader.read(Optional.empty(), settings), 8);
  }

  private static List<String> captions(List<PreparedImage> images) {
    return images.stream().map(i -> i.captioned().caption()).toList();
  }

  /** Else the missing word would be part of the gap between training and validation. */
  @Test
  void validationHasTheTriggerWordAndTheClassInGeneralHasNot() throws IOException {
    image("train/a", "a dog");
    image("train/b", "sks dog");
    image("val/c", "a dog on grass");
    image("general/d", "a dog");
    ImageData data =
        read(
            "trigger_word=sks",
            "validation_path=" + folder.resolve("val"),
            "regularization_path=" + folder.resolve("general"));
    assertThat(captions(data.training())).containsExactly("sks, a dog", "sks dog");
    assertThat(captions(data.validation())).containsExactly("sks, a dog on grass");
    assertThat(captions(data.regularization())).containsExactly("a dog");
  }

  /** Copies count byte for byte and by their look, each image once. */
  @Test
  void copiesAndImagesThatLookTheSameAreCounted() throws IOException {
    image("train/a", "one");
    image("train/c", "two");
    Files.copy(folder.resolve("train/a.png"), folder.resolve("train/z.png"));
    Files.writeString(folder.resolve("train/z.txt"), "one");
    lighter("train/a", "train/y");
    lighter("train/c", "val/x");
    Files.copy(folder.resolve("train/c.png"), folder.resolve("val/w.png"));
    Files.writeString(folder.resolve("val/w.txt"), "two");
    image("val/e", "three");
    assertThat(read("validation_path=" + folder.resolve("val")).facts())
        .containsEntry("data/records", 4)
        .containsEntry("data/duplicates", 1)
        .containsEntry("data/near_duplicates", 1)
        .containsEntry("data/validation_records", 3)
        .containsEntry("data/validation_leak", 1)
        .containsEntry("data/near_validation_leak", 1)
        .containsEntry("data/captions", 2);
  }

  private void lighter(String name, String other) throws IOException {
    Picture p = Picture.read(folder.resolve(name + ".png"));
    float[] rgb = p.rgb().clone();
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = Math.min(1, rgb[i] + 0.01f);
    }
    new Picture(p.width(), p.height(), rgb).writePng(folder.resolve(other + ".png"));
    Files.writeString(folder.resolve(other + ".txt"), "one");
  }
}
