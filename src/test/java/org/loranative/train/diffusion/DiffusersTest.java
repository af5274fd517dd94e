package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.export.AdapterFormat;
import org.loranative.export.AdapterSource;
import org.loranative.export.DiffusionFormats;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.NamedLayers;
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

  private static String python() {
    String python = System.getenv().getOrDefault("LORA_NATIVE_DIFFUSERS", "");
    assumeThat(python).as("LORA_NATIVE_DIFFUSERS").isNotEmpty();
    return python;
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"kohya", "comfyui", "diffusers", "peft"})
  void drawsTheSame(String format) throws Exception {
    compare(BASE, ADAPTER, format, EmojiPictures.latents(folder), "ddim");
  }

  /** diffusers reads no names of kohya's for Stable Diffusion 3. */
  @ParameterizedTest
  @ValueSource(strings = {"diffusers", "peft"})
  void drawsTheSameWithStableDiffusion3(String format) throws Exception {
    compareTransformers("make_sd3_base.py", "transformer\\..*(attn.*|\\.ff.*)", format);
  }

  /**
   * Of the names of kohya's, diffusers cuts those of blocks of one stream by FLUX.1's own width.
   */
  @ParameterizedTest
  @CsvSource({
    "kohya, transformer\\.transformer_.*",
    "diffusers, transformer\\..*(attn.*|\\.ff.*|proj_mlp)",
    "peft, transformer\\..*(attn.*|\\.ff.*|proj_mlp|norm.*linear)"
  })
  void drawsTheSameWithFlux(String format, String layers) throws Exception {
    compareTransformers("make_flux_base.py", layers, format);
  }

  @ParameterizedTest
  @CsvSource({
    "kohya, transformer\\.transformer_.*",
    "diffusers, transformer\\..*(attn.*|\\.ff.*|proj_mlp)",
    "peft, transformer\\..*(attn.*|\\.ff.*|proj_mlp|guidance_layer.*linear_1)"
  })
  void drawsTheSameWithChroma(String format, String layers) throws Exception {
    compareTransformers("make_chroma_base.py", layers, format);
  }

  @ParameterizedTest
  @ValueSource(strings = {"kohya", "diffusers", "peft"})
  void drawsTheSameWithZImage(String format) throws Exception {
    compareTransformers(
        "make_zimage_base.py", "transformer\\..*(attention|feed_forward).*", format);
  }

  private void compareTransformers(String script, String pattern, String format) throws Exception {
    Path base = folder.resolve("base");
    run(python(), "src/test/python/" + script, base.toString());
    NamedLayers layers = DiffusionFamilies.open(base).layers();
    Random random = new Random(9);
    Map<String, AdaptedLayer> adapter = new LinkedHashMap<>();
    layers.targets().stream()
        .filter(t -> t.path().matches(pattern))
        .forEach(t -> adapter.put(t.path(), random(t, random)));
    // By way of kohya's, in which q, k and v are one.
    Path kohya = folder.resolve("kohya.safetensors");
    LoraFiles.write(kohya, LoraFiles.Format.KOHYA, adapter, layers, Map.of());
    Path latents = EmojiPictures.latents(folder, random, 4, 32);
    compare(base, kohya, format, latents, "euler");
  }

  private static AdaptedLayer random(Adapters.Target t, Random random) {
    float[] a = new float[(int) (2 * t.in())];
    float[] b = new float[(int) (2 * t.out())];
    for (float[] matrix : List.of(a, b)) {
      for (int i = 0; i < matrix.length; i++) {
        matrix[i] = 0.2f * (float) random.nextGaussian();
      }
    }
    return AdaptedLayer.lowRank(t, 2, new AdaptedLayer.LowRank(2, a, b));
  }

  private void compare(Path base, Path adapter, String format, Path latents, String sampler)
      throws Exception {
    String python = python();
    DiffusionBase model = DiffusionFamilies.open(base);
    Path exported = folder.resolve(format.equals("peft") ? "exported" : "exported.safetensors");
    AdapterFormat.named(format, DiffusionFormats.all(), "diffusion models")
        .write(model, Optional.of(adapter), LoraFiles.read(adapter, model.layers()), exported);
    Path out = folder.resolve("out.safetensors");
    run(
        python,
        "src/test/python/diffusers_draw.py",
        base.toString(),
        latents.toString(),
        exported.toString(),
        out.toString());
    float[] theirs = new Golden(out).floats("picture");
    AdapterSource source = new AdapterSource(adapter, 1);
    assertThat(
            Errors.relative(EmojiPictures.draw(model, List.of(source), latents, sampler), theirs))
        .isLessThan(1e-3);
    assertThat(Errors.relative(EmojiPictures.draw(model, List.of(), latents, sampler), theirs))
        .as("without the adapter")
        .isGreaterThan(1e-2);
  }
}
