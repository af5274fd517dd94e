package org.loranative.data.sd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;

class CaptionedTest {
  @TempDir Path folder;

  private void file(String name, String text) throws IOException {
    Files.createDirectories(folder.resolve(name).getParent());
    Files.writeString(folder.resolve(name), text);
  }

  @Test
  void metadataOfEitherKind() throws IOException {
    file("a.png", "");
    file("b/c.jpg", "");
    file("d.png", "");
    file("metadata.jsonl", "{\"file_name\":\"b/c.jpg\",\"text\":\"two\"}\n");
    Captioned.Found found = Captioned.read(folder);
    assertThat(found.images()).containsExactly(new Captioned(folder.resolve("b/c.jpg"), "two"));
    assertThat(found.withoutCaption())
        .containsExactly(folder.resolve("a.png"), folder.resolve("d.png"));
    file("metadata.csv", "prompt,filename\n\"one, and\",a.png\n");
    assertThat(Captioned.read(folder).images())
        .containsExactly(new Captioned(folder.resolve("a.png"), "one, and"));
  }

  @Test
  void sidecars() throws IOException {
    file("a.png", "");
    file("a.txt", " first \n");
    file("b.PNG", "");
    file("b.caption", "second");
    file("c.jpeg", "");
    Captioned.Found found = Captioned.read(folder);
    assertThat(found.images())
        .containsExactly(
            new Captioned(folder.resolve("a.png"), "first"),
            new Captioned(folder.resolve("b.PNG"), "second"));
    assertThat(found.withoutCaption()).containsExactly(folder.resolve("c.jpeg"));
  }

  @Test
  void whatIsMissingIsNamedWithItsLine() throws IOException {
    file("metadata.csv", "filename,prompt\na.png,x\n");
    assertThatThrownBy(() -> Captioned.read(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("metadata.csv")
        .hasMessageContaining("a.png does not exist; there are no images beside it");
    file("metadata.csv", "name,prompt\na.png,x\n");
    assertThatThrownBy(() -> Captioned.read(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("filename, file_name");
  }

  @Test
  void theTriggerWordIsAWholeWord() {
    for (String has : List.of("art", "Art, a cat", "a cat (art)", "pop-art", "by art.")) {
      assertThat(new Captioned(folder, has).triggeredBy("art").caption()).isEqualTo(has);
    }
    for (String lacks : List.of("cartoon", "party", "art_deco", "ärt", "arté", "art2", "")) {
      assertThat(new Captioned(folder, lacks).triggeredBy("art").caption())
          .isEqualTo(lacks.isEmpty() ? "art" : "art, " + lacks);
    }
    assertThat(new Captioned(folder, "一只小猫坐着").triggeredBy("猫").caption()).doesNotContain(",");
    assertThat(new Captioned(folder, "a (b").triggeredBy("(b").caption()).isEqualTo("a (b");
  }

  @Test
  void bucketsKeepTheRatioAndTheArea() {
    Buckets buckets = new Buckets(512, 64);
    assertThat(buckets.nearest(700, 700)).isEqualTo(new Buckets.Size(512, 512));
    assertThat(buckets.nearest(1920, 1080)).isEqualTo(new Buckets.Size(640, 384));
    assertThat(buckets.nearest(100, 3000)).isEqualTo(new Buckets.Size(64, 1024));
    for (int w = 100; w < 2000; w += 77) {
      Buckets.Size s = buckets.nearest(w, 640);
      assertThat(s.width() * s.height()).isLessThanOrEqualTo(512 * 512);
      assertThat(s.width() % 64 + s.height() % 64).isZero();
    }
    assertThat(new Buckets(48, 64).nearest(3, 2)).isEqualTo(new Buckets.Size(48, 48));
  }
}
