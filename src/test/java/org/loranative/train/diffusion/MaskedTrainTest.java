package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.loranative.image.Picture;
import org.loranative.io.AtomicFolders;
import org.loranative.testing.TensorFiles;

/** Whole runs whose images have masks. */
class MaskedTrainTest extends DemoRuns {
  /** Masks of all images: white from some column on. */
  private void masks(double from) throws IOException {
    try (var images = Files.walk(folder.resolve("data"))) {
      for (Path image : images.filter(f -> f.toString().matches(".*image[0-9].png")).toList()) {
        int width = Picture.read(image).width();
        float[] rgb = new float[width * 40 * 3];
        for (int i = 0; i < rgb.length; i++) {
          rgb[i] = i / 3 % width >= from * width ? 1 : 0;
        }
        new Picture(width, 40, rgb)
            .writePng(Path.of(image.toString().replace(".png", "-mask.png")));
      }
    }
  }

  /** White masks change no bit, black ones leave nothing to learn. */
  @Test
  void whatIsMaskedOutIsNotLearnt() throws IOException {
    train("plain", false);
    masks(0);
    train("white", false, "masked=true");
    assertThat(losses("white")).isEqualTo(losses("plain"));
    masks(0.5);
    train("half", false, "masked=true");
    train("unmasked", false, "masked=true", "unmasked_weight=1");
    assertThat(losses("unmasked")).isEqualTo(losses("plain"));
    assertThat(Double.parseDouble(loss("half")))
        .isBetween(
            0.2 * Double.parseDouble(loss("plain")), 0.9 * Double.parseDouble(loss("plain")));
    masks(1);
    train("black", false, "masked=true", "validation_fraction=0.3");
    assertThat(losses("black")).allMatch(l -> l.endsWith(" 0.0 0.0"));
    String metrics = Files.readString(folder.resolve("black/logs/metrics.jsonl"));
    assertThat(metrics).contains("\"val/t0-249_loss\":0.0");
    assertThat(Files.readString(folder.resolve("black/logs/train.log")))
        .contains("image1-mask.png is black all over");
  }

  /** Crops and mirrors too; masks are encoded once, and anew where they change. */
  @Test
  void resumesToTheBit() throws IOException {
    String[] settings = {"masked=true", "unmasked_weight=0.1", "flip=true", "random_crop=true"};
    masks(0.3);
    train("whole", false, settings);
    long entries = entries();
    TensorFiles.copy(folder.resolve("whole"), folder.resolve("cut"));
    AtomicFolders.delete(folder.resolve("cut/checkpoint-6"));
    Files.delete(folder.resolve("cut/lora.safetensors"));
    train("cut", true, settings);
    assertThat(losses("cut")).hasSize(6).isEqualTo(losses("whole"));
    assertThat(entries()).isEqualTo(entries);
    masks(0.6);
    train("other", false, settings);
    assertThat(entries()).as("one of squares, two that are cut").isEqualTo(entries + 3);
    assertThat(losses("other").get(0)).isNotEqualTo(losses("whole").get(0));
    train("again", false, List.of(settings).toArray(String[]::new));
    assertThat(losses("again")).isEqualTo(losses("other"));
  }

  private long entries() throws IOException {
    try (var files = Files.list(folder.resolve("data/.lora-native-cache"))) {
      return files.count();
    }
  }
}
