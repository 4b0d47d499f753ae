import { h, setText } from '../controls/dom';
import { failureBox } from '../controls/message';
import { failed, wordsOf } from '../result';
import { saveFile } from '../share/save-file';
import { scriptPanel } from '../share/script-panel';
import type { PictureExperiment } from './experiment';
import { METADATA, savedPictures } from './picture-metadata';
import { OWN_SET } from './shelf';
import { textToImageScript } from './text-to-image-script';

/** The experiment as a Python script for a Stable Diffusion, and the pictures that it reads. */
export function imagesScript(images: PictureExperiment): HTMLElement[] {
  const { shelf } = images;
  const { elements, show } = scriptPanel({
    id: 'images',
    copy: 'Copy as script',
    file: 'text-to-image.py',
    words:
      'The same runs at real size: LoRA of Stable Diffusion 1.5, or XL by its id, with diffusers and PEFT. Rates are yours to set again: the page’s model is a small one.',
    make: () => ({ script: textToImageScript(images.config.value) }),
  });
  images.config.subscribe(show);
  const problem = failureBox();
  const told = h('p', { class: 'hint', role: 'status' });
  const save = h('button', { type: 'button', id: 'save-pictures' });
  save.addEventListener('click', async () => {
    const set = shelf.set.value;
    if (set === null) return;
    problem.show(null);
    try {
      const { file, content } = await savedPictures(set);
      saveFile(file, content);
      const where =
        file === METADATA ? 'Put it into the folder of your pictures.' : 'Unpack it into a folder.';
      setText(told, `Saved as ${file}. ${where}`);
    } catch (thrown) {
      const wrong = failed('save', `The pictures were not saved: ${wordsOf(thrown)}. Try again.`);
      problem.show(wrong.failure);
    }
  });
  shelf.set.watch((set) => {
    save.hidden = set === null;
    setText(save, set?.name === OWN_SET ? 'Save captions' : 'Save pictures and captions');
  });
  return [...elements, h('div', { class: 'row' }, save, told), problem.element];
}
