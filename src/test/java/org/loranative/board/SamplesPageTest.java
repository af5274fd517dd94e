package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.loranative.image.Picture;
import org.loranative.track.TensorBoard;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;

/** Pictures and texts that runs made, held against one another. */
class SamplesPageTest extends InBrowser {
  private static final int RED = 0xff0000;
  private static final int GREEN = 0x00ff00;
  private static final int BLUE = 0x0000ff;
  private static final int GREY = 0x808080;

  private TensorBoard open(String name) throws IOException {
    TensorBoard run = new TensorBoard(folder.resolve(name).resolve("logs"), 1);
    run.hyperparameters(Map.of("task_type", "sd"), List.of());
    run.scalars(1, Map.of("Loss/train", 0.2));
    run.scalars(2, Map.of("Loss/train", 0.1));
    return run;
  }

  private static void draw(TensorBoard run, long step, int colour) throws IOException {
    float[] pixels = new float[3 * 16 * 16];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (colour >> (16 - 8 * (i % 3)) & 255) / 255f;
    }
    run.image(step, "samples/1: a star", new Picture(16, 16, pixels).png(), 16, 16);
  }

  /** The colour on the left and on the right of what is shown large. */
  private static List<Integer> halves() {
    try {
      WebElement wipe = browser.findElement(By.cssSelector("dialog .wipe .over"));
      BufferedImage seen =
          ImageIO.read(new ByteArrayInputStream(wipe.getScreenshotAs(OutputType.BYTES)));
      int y = seen.getHeight() / 2;
      return List.of(
          seen.getRGB(seen.getWidth() / 4, y) & 0xffffff,
          seen.getRGB(seen.getWidth() * 3 / 4, y) & 0xffffff);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void wipesBetweenPicturesOfAnyStepAndRun() throws IOException {
    try (TensorBoard one = open("one");
        TensorBoard two = open("two")) {
      draw(one, 0, RED);
      draw(one, 10, GREEN);
      draw(two, 0, BLUE);
      draw(two, 10, GREY);
      draw(two, 20, RED);
    }
    openBoard();
    screen(1024, 800, false);
    load("#view=images");
    until("a row for each run", () -> all("#images .strip-of").size() == 2);
    assertThat(all("#images .strip-of").get(0).findElements(By.cssSelector("figure")))
        .as("steps stand below one another")
        .hasSize(3);
    assertThat(all("#images figure").get(2).getAttribute("className")).isEqualTo("gap");
    all("#images .picture").get(1).click();
    until("large", () -> halves().equals(List.of(GREEN, GREEN)));
    assertThat(all("dialog optgroup").stream().map(g -> g.getAttribute("label")))
        .containsExactly("one", "two");
    all("dialog optgroup").get(1).findElements(By.cssSelector("option")).get(1).click();
    until("under the wipe", () -> halves().equals(List.of(GREEN, GREY)));
    assertThat(all("dialog p.hint").get(0).getText())
        .isEqualTo("one, step 10 on the left, two, step 10 on the right");
    WebElement wipe = browser.findElement(By.cssSelector("dialog input[type=range]"));
    wipe.sendKeys(Keys.HOME);
    until("wiped away", () -> halves().equals(List.of(GREY, GREY)));
    wipe.sendKeys(Keys.END);
    picture("wipe");
    WebElement close = browser.findElement(By.cssSelector("dialog .box-head button"));
    close.sendKeys(Keys.ARROW_LEFT);
    until("the step before", () -> halves().equals(List.of(RED, RED)));
    close.sendKeys(Keys.ARROW_DOWN);
    until("the other run", () -> halves().equals(List.of(BLUE, BLUE)));
    close.sendKeys(Keys.ARROW_RIGHT);
    until("its next step", () -> halves().equals(List.of(GREY, GREY)));
    close.sendKeys(Keys.ESCAPE);
    until("closed", () -> all("dialog").isEmpty());
    noErrors();
  }

  private static String text(int column) {
    return all("#texts .columns > div").get(column).getText();
  }

  private static List<String> marked(String tag, int column) {
    return all("#texts .columns > div").get(column).findElements(By.cssSelector(tag)).stream()
        .map(WebElement::getText)
        .map(String::strip)
        .toList();
  }

  @Test
  void showsWhatDiffersBetweenStepsAndRuns() throws IOException {
    try (TensorBoard one = open("one");
        TensorBoard two = open("two")) {
      one.text(1, "samples/1", "the quick fox runs");
      one.text(5, "samples/1", "the quick brown fox sleeps");
      two.text(1, "samples/1", "<img src=x onerror=alert(1)> a fox");
      two.text(5, "samples/1", "the quick brown dog sleeps");
      two.text(9, "samples/1", "the dog sleeps");
      Files.writeString(folder.resolve("one/config.yaml"), "task_type: sd\n");
      openBoard();
      screen(1024, 800, true);
      load("#view=texts");
      until("texts", () -> text(1).contains("the dog sleeps"));
      assertThat(text(0)).as("the newest there is, and of when").contains("(of step 5)");
      choose("#texts", "first");
      until("what is new", () -> marked("ins", 0).equals(List.of("brown", "sleeps")));
      assertThat(marked("del", 0)).containsExactly("runs");
      assertThat(text(0)).contains("changes since step 1");
      choose("#texts", "before");
      until("since the one before", () -> marked("del", 1).equals(List.of("quick brown")));
      choose("#texts", "run:one");
      until("against a run", () -> marked("ins", 1).isEmpty() || !marked("del", 1).isEmpty());
      assertThat(text(1)).contains("other than one at step 5");
      assertThat(marked("ins", 0)).as("itself is whole").isEmpty();
      picture("texts-dark");

      // What comes meanwhile moves neither the slider nor the focus, nor what is compared.
      WebElement slider = browser.findElement(By.cssSelector("#texts input[type=range]"));
      slider.sendKeys(Keys.ARROW_LEFT);
      until("step 5", () -> text(1).contains("fox dog sleeps") && sliderSays("step 5"));
      assertThat(marked("ins", 1)).containsExactly("dog");
      two.text(12, "samples/1", "something else");
      until("it came", () -> slider().getAttribute("max").equals("3"));
      assertThat(sliderSays("step 5")).isTrue();
      assertThat((Boolean) js("document.activeElement === document.querySelector('#texts input')"))
          .isTrue();
      assertThat(marked("ins", 1)).containsExactly("dog");
      // Who stands at the newest goes on with it.
      slider().sendKeys(Keys.END);
      until("the newest", () -> text(1).contains("something else"));
      two.text(15, "samples/1", "the last word");
      until("goes on", () -> text(1).contains("last word"));
      new Actions(browser).sendKeys(Keys.NULL).perform();
      fits();
      noErrors();
    }
  }

  private static WebElement slider() {
    return browser.findElement(By.cssSelector("#texts input[type=range]"));
  }

  private static boolean sliderSays(String words) {
    return browser.findElement(By.cssSelector("#texts output")).getText().equals(words);
  }
}
