package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.export.AdapterFormat;
import org.loranative.export.AdapterSource;
import org.loranative.export.DiffusionFormats;
import org.loranative.lora.LoraFiles;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;

/**
 * diffusers draws with an exported adapter what we draw with the one that it was made of. The
 * environment variable LORA_NATIVE_DIFFUSERS names a Python that has diffusers and peft.
 */
@Tag("slow")
class DiffusersTest {
  private static final Path BASE = Path.of("models/emoji-sd");
  private static final Path ADAPTER = Golden.FOLDER.resolve("lora/unet");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"kohya", "comfyui", "diffusers", "peft"})
  void drawsTheSame(String format) throws Exception {
    String python = System.getenv().getOrDefault("LORA_NATIVE_DIFFUSERS", "");
    assumeThat(python).as("LORA_NATIVE_DIFFUSERS").isNotEmpty();
    DiffusionBase model = DiffusionFamilies.open(BASE);
    Path exported = folder.resolve(format.equals("peft") ? "exported" : "exported.safetensors");
    AdapterFormat.named(format, DiffusionFormats.all(), "diffusion models")
        .write(model, Optional.of(ADAPTER), LoraFiles.read(ADAPTER, model.layers()), exported);

    Path latents = EmojiPictures.latents(folder);
    Path out = folder.resolve("out.safetensors");
    Process process =
        new ProcessBuilder(
                python,
                "src/test/python/diffusers_draw.py",
                BASE.toString(),
                latents.toString(),
                exported.toString(),
                out.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();

    float[] theirs = new Golden(out).floats("picture");
    AdapterSource source = new AdapterSource(ADAPTER, 1);
    assertThat(Errors.relative(EmojiPictures.draw(model, List.of(source), latents), theirs))
        .isLessThan(1e-3);
    assertThat(Errors.relative(EmojiPictures.draw(model, List.of(), latents), theirs))
        .as("without the adapter")
        .isGreaterThan(1e-2);
  }
}
