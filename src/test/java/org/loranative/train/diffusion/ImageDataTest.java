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
}
